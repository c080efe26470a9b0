//! Every limit of a size that a caller or a service can run into, or a reader may look for, each with its
//! reason; and what must hold between them, which the compiler checks. What an operation itself allows
//! stands beside its row, and how long something may take where it is waited for.

/// The longest base URL.
pub(crate) const LONGEST_BASE_URL: usize = 2048;

/// The longest credential: several times any that the service gives out.
pub(crate) const LONGEST_CREDENTIAL: usize = 4096;

/// The longest name of an application or SDK: as long as the official clients let one be.
pub(crate) const LONGEST_ORIGIN_NAME: usize = 50;

/// The longest item of a path, together with the secret parameter of the query: much more than any that
/// the service has given out.
pub(crate) const LONGEST_ITEM: usize = 4096;

/// How many characters a percent-encoded byte has.
pub(crate) const ENCODED: usize = 3;

/// The longest target of a request: a path and a query, encoded. What remains beside base URL and item is
/// for the collection and the parameters that may be shown.
pub(crate) const LONGEST_TARGET: usize = LONGEST_BASE_URL + ENCODED * LONGEST_ITEM + 1024;

/// What a connection's buffers begin with. Each line of a request's head must fit into one; the input
/// grows with an answer's head.
pub(crate) const BUFFER_SIZE: usize = 16 * 1024;

/// A source is read and handed to the system in pieces of this size: large enough that system calls cost
/// little, and all the memory that a source takes, whatever its length.
pub(crate) const LARGEST_PIECE: usize = 512 * 1024;

/// How much of a source is encrypted ahead of the system's room for it: more than comes free at once, so
/// that each system call fills what there is.
pub(crate) const MOST_ENCRYPTED_AHEAD: usize = 384 * 1024;

/// How much of a source the system takes before the peer has room for it: what is taken cannot be
/// called back, and is what a slow connection still has to carry before anything else.
pub(crate) const MOST_SENT_AHEAD: u32 = 256 * 1024;

/// The largest head of an answer.
pub(crate) const LARGEST_HEAD: usize = 64 * 1024;

/// As many headers of an answer as ureq takes.
pub(crate) const MOST_HEADERS: usize = 128;

/// The largest head of a proxy's answer to CONNECT.
pub(crate) const LARGEST_PROXY_HEAD: usize = 16 * 1024;

/// The largest body of a success.
pub(crate) const LARGEST_BODY: usize = 4 * 1024 * 1024;

/// How much of a body an error keeps.
pub(crate) const LARGEST_KEPT_BODY: usize = 64 * 1024;

/// How much memory is taken on an answer's word of its length.
pub(crate) const MOST_BELIEVED: usize = 64 * 1024;

/// How much memory a thread keeps for its next answer at most: a page of a hundred items fits.
pub(crate) const MOST_KEPT_BY_THREAD: usize = 16 * 1024;

/// The deepest nesting of an answer that is passed on undecoded.
pub(crate) const DEEPEST_JSON: usize = 128;

/// How many single problems a message tells of.
pub(crate) const MOST_PROBLEMS_SHOWN: usize = 4;

/// How many characters of a text of the service's go into a message.
pub(crate) const LONGEST_TEXT_SHOWN: usize = 200;

/// How many of the hosts that a certificate is for a message tells of.
pub(crate) const MOST_HOSTS_SHOWN: usize = 3;

/// How many items of a collection are remembered at least, so as not to tell them twice: as many as fill a
/// set of 16,384 places, of which there are two of 150 KB.
pub(crate) const ITEMS_REMEMBERED: usize = 14_000;

/// How many of a host's addresses are tried side by side.
pub(crate) const MOST_ADDRESSES_AT_ONCE: usize = 8;

/// How many of them are tried at all.
pub(crate) const MOST_ADDRESSES_TRIED: usize = 32;

/// How many of those that failed a message tells of.
pub(crate) const MOST_ADDRESSES_SHOWN: usize = 8;

/// The longest id of a video that is taken: many times any that the service has given out.
pub(crate) const LONGEST_VIDEO_ID: usize = 512;

/// The longest name that an uploaded file is given: more than any system allows a file.
pub(crate) const LONGEST_FILE_NAME: usize = 1024;

/// The longest state of an upload, which is to fit any store.
pub(crate) const LONGEST_STATE: usize = 4096;

/// How many unfinished videos an upload leaves behind at most, to be dropped by the service.
pub(crate) const MOST_VIDEOS_ABANDONED: u32 = 3;

/// How many parts may be sent at once: more would not be quicker on any link, and use up the rate limit.
pub(crate) const MOST_PARALLEL_PARTS: u32 = 16;

/// The largest input structure of the C API that any version will have.
pub(crate) const LARGEST_INPUT: usize = 4096;

/// Idle connections that a client keeps: more threads than this at once is rare, and a connection less
/// costs a handshake, not an error.
pub(crate) const MOST_IDLE_CONNECTIONS: usize = 64;

/// A request's first line, with room for the longest method: ureq writes a line at once or not at all.
const LONGEST_FIRST_LINE: usize = LONGEST_TARGET + "OPTIONS  HTTP/1.1\r\n".len();
const _: () = assert!(LONGEST_FIRST_LINE <= BUFFER_SIZE);

/// The line with the credential, as Basic with its colon or as Bearer, and the end of the head behind it.
const LONGEST_BASIC: usize = (LONGEST_CREDENTIAL + 1).div_ceil(3) * 4;
const LONGEST_AUTHORIZATION: usize = "authorization: Bearer \r\n\r\n".len() + LONGEST_BASIC;
const _: () = assert!(LONGEST_AUTHORIZATION <= BUFFER_SIZE);

/// The line with the host and its port, which are a part of the base URL.
const _: () = assert!("host: \r\n\r\n".len() + LONGEST_BASE_URL <= BUFFER_SIZE);

/// What an error keeps is a part of what is read, and is there without growing.
const _: () = assert!(LARGEST_KEPT_BODY <= LARGEST_BODY && LARGEST_KEPT_BODY <= MOST_BELIEVED);
