//! A word of memory that no new process inherits: the one thing that tells a child from its parent
//! without a system call, however the child was made. (Handlers of pthread_atfork(3) run for fork(3),
//! but not for _Fork(3) and clone(2).)

use once_cell::race::OnceBox;
use std::sync::atomic::AtomicU32;

/// The word, which is 0 until a process has written to it; `None` if the kernel has no such memory
/// (Linux before 4.14, and some that only pretend to be Linux).
pub(crate) fn word() -> Option<&'static AtomicU32> {
    static WORD: OnceBox<Option<&'static AtomicU32>> = OnceBox::new();
    *WORD.get_or_init(|| Box::new(map()))
}

/// A page of memory that is wiped in a child. It is never given back: there is one for the life of the
/// process, or two, should two threads come first at once.
fn map() -> Option<&'static AtomicU32> {
    // SAFETY: sysconf(3) takes no pointers.
    let size = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).ok()?;
    let access = libc::PROT_READ | libc::PROT_WRITE;
    let kind = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
    // SAFETY: asks for fresh memory, wherever that is.
    let page = unsafe { libc::mmap(std::ptr::null_mut(), size, access, kind, -1, 0) };
    if page == libc::MAP_FAILED {
        return None;
    }
    // Emulators have been seen to take any advice, and to do nothing: no kernel knows this one.
    const UNKNOWN: libc::c_int = -1;
    // SAFETY: both advise on the page that has just been mapped, and that is all there is to it.
    let is_wiped = unsafe {
        libc::madvise(page, size, UNKNOWN) != 0
            && libc::madvise(page, size, libc::MADV_WIPEONFORK) == 0
    };
    if !is_wiped {
        // SAFETY: mapped above, and nobody knows of it.
        unsafe { libc::munmap(page, size) };
        return None;
    }
    // SAFETY: the page is zeroed, aligned, never given back, and used as this alone. That a fork wipes it
    // is a change that nobody can see happen: it is another process's memory then.
    Some(unsafe { AtomicU32::from_ptr(page.cast()) })
}
