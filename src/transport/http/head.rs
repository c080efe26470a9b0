//! Heads of answers that hold odd lines, added on the way and of no meaning to us: mended, so that a
//! good answer stays usable. ureq's parser refuses the whole head for one of them, and takes 128
//! headers at most. Only what it has refused comes here.
//!
//! A line that says where the body ends is never mended nor left out: two readers that disagree about
//! it take one answer for two. An odd one is left as it is, for ureq to refuse.

use crate::limits::MOST_HEADERS;

const LINE_END: &[u8] = b"\r\n";
/// The headers that are read, by us or by ureq. If there are too many headers, others are left out.
const READ: [&str; 8] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "content-encoding",
    "content-type",
    "date",
    "location",
    "retry-after",
];
/// How others begin that are read.
const READ_PREFIX: &str = "x-ratelimit-";
/// The letters of those headers by which the body's end is found.
const FRAMING: [&str; 2] = ["contentlength", "transferencoding"];

/// What is to be done about a head that ureq refuses.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Mended {
    /// Its end has not come yet.
    Incomplete,
    /// Nothing.
    Hopeless,
    /// It is to be read as `head`, in the place of the first `length` bytes: itself, and the interim
    /// answers (1xx) before it, which mean nothing here.
    Whole { length: usize, head: Vec<u8> },
}

/// Mends the head that `input` begins with.
pub(super) fn mend(input: &[u8]) -> Mended {
    let mut head = Head::default();
    let mut length = 0;
    for line in input.split_inclusive(|&byte| byte == b'\n') {
        let Some(line_end) = line.strip_suffix(b"\n") else { break };
        length += line.len();
        let text = line_end.strip_suffix(b"\r").unwrap_or(line_end);
        if head.status_line.is_empty() {
            if !is_status_line(text) {
                return Mended::Hopeless;
            }
            head.status_line.extend(text.iter().map(as_value));
        } else if !text.is_empty() {
            if head.add(text).is_none() {
                return Mended::Hopeless;
            }
        } else if head.is_interim() {
            head = Head::default();
        } else {
            return Mended::Whole { length, head: head.into_bytes() };
        }
    }
    // What is refused without a line that has come whole is no head.
    if length == 0 { Mended::Hopeless } else { Mended::Incomplete }
}

/// "HTTP/1.1 200", and maybe a reason.
fn is_status_line(line: &[u8]) -> bool {
    let (version, rest) = line.split_at_checked(9).unwrap_or_default();
    let (status, reason) = rest.split_at_checked(3).unwrap_or_default();
    matches!(version, b"HTTP/1.1 " | b"HTTP/1.0 ")
        && !status.is_empty()
        && status.iter().all(u8::is_ascii_digit)
        && matches!(reason.first(), None | Some(b' '))
}

/// A head that is being mended.
#[derive(Default)]
struct Head {
    status_line: Vec<u8>,
    /// The lines of headers, each with its end.
    headers: Vec<u8>,
    /// Where the last of them begins; where they end, if that one was left out.
    last: usize,
}

impl Head {
    /// Adds a line; `None` if it leaves no hope.
    fn add(&mut self, line: &[u8]) -> Option<()> {
        if matches!(line, [b' ' | b'\t', ..]) {
            return self.continue_last(line.trim_ascii());
        }
        let colon = memchr::memchr(b':', line)?;
        let name = line[..colon].trim_ascii_end();
        let value = &line[colon + 1..];
        let has_name = !name.is_empty() && name.iter().all(is_name);
        let is_odd = !has_name || name.len() < colon || !value.iter().all(is_value);
        if is_odd && is_like_framing(name) {
            return None;
        }
        self.last = self.headers.len();
        if has_name {
            self.headers.extend_from_slice(name);
            self.headers.push(b':');
            self.end_with(value);
        }
        Some(())
    }

    /// A line that begins with white space continues the one before, as if by a space. (RFC 9112, 5.2)
    fn continue_last(&mut self, more: &[u8]) -> Option<()> {
        let last = &self.headers[self.last..];
        // With none before, some read it as a header of its own.
        if is_like_framing(if last.is_empty() { more } else { last }) {
            return None;
        }
        if !last.is_empty() {
            self.headers.truncate(self.headers.len() - LINE_END.len());
            self.headers.push(b' ');
            self.end_with(more);
        }
        Some(())
    }

    /// Ends the last line with a value, in which spaces stand for what may not.
    fn end_with(&mut self, value: &[u8]) {
        self.headers.extend(value.iter().map(as_value));
        self.headers.extend_from_slice(LINE_END);
    }

    fn is_interim(&self) -> bool {
        // 101 is final: it ends HTTP.
        self.status_line[9] == b'1' && !self.status_line[9..].starts_with(b"101")
    }

    /// The head in bytes. If there are too many headers, the last of those that nobody reads are left
    /// out.
    fn into_bytes(self) -> Vec<u8> {
        let lines = self.headers.split_inclusive(|&byte| byte == b'\n');
        let read = lines.clone().filter(|line| is_read(line)).count();
        let mut room = MOST_HEADERS.saturating_sub(read);
        let mut bytes = self.status_line;
        bytes.extend_from_slice(LINE_END);
        for line in lines {
            if !is_read(line) {
                if room == 0 {
                    continue;
                }
                room -= 1;
            }
            bytes.extend_from_slice(line);
        }
        bytes.extend_from_slice(LINE_END);
        bytes
    }
}

fn name_of(header: &[u8]) -> &[u8] {
    header.split(|&byte| byte == b':').next().unwrap_or_default()
}

fn is_read(header: &[u8]) -> bool {
    let name = name_of(header);
    let prefix = name.get(..READ_PREFIX.len()).unwrap_or_default();
    READ.iter().any(|read| name.eq_ignore_ascii_case(read.as_bytes()))
        || prefix.eq_ignore_ascii_case(READ_PREFIX.as_bytes())
}

/// Whether a line, or its name, is one by which the body's end is found, or could be taken for one
/// by somebody who is less strict.
fn is_like_framing(line: &[u8]) -> bool {
    let letters = name_of(line).iter().filter(|byte| byte.is_ascii_alphabetic());
    let letters = letters.map(u8::to_ascii_lowercase);
    FRAMING.iter().any(|framing| letters.clone().eq(framing.bytes()))
}

/// A byte of a header's name. (RFC 9110, 5.6.2)
fn is_name(byte: &u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte)
}

/// What stands for a byte in a header's value, or in the reason behind the status.
fn as_value(byte: &u8) -> u8 {
    if is_value(byte) { *byte } else { b' ' }
}

/// A byte of a header's value. (RFC 9110, 5.5)
fn is_value(byte: &u8) -> bool {
    *byte == b'\t' || *byte >= b' ' && *byte != 0x7f
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the head with these lines, and a body behind it, is mended to.
    fn mended(lines: &str) -> Option<String> {
        let input = format!("HTTP/1.1 200 OK\r\n{lines}\r\n\r\n{{\"token\":\"x\"}}");
        match mend(input.as_bytes()) {
            Mended::Whole { length, head } => {
                assert_eq!(&input[length..], "{\"token\":\"x\"}", "{lines:?}");
                let head = String::from_utf8(head).expect("what was text");
                let lines = head.strip_prefix("HTTP/1.1 200 OK\r\n").expect("its status line");
                Some(lines.strip_suffix("\r\n\r\n").expect("its end").to_owned())
            }
            Mended::Hopeless => None,
            Mended::Incomplete => panic!("{lines:?} ends"),
        }
    }

    #[test]
    fn odd_lines_are_mended_or_left_out() {
        for (odd, expected) in [
            ("X-A: one\r\n two", "X-A: one two"),
            ("X-A: one\r\n\t two \r\n three", "X-A: one two three"),
            ("X-A: one\r\n ", "X-A: one "),
            (": x\r\nX-B: b", "X-B: b"),
            (": x\r\n of it\r\nX-B: b", "X-B: b"),
            ("X Frame: x\r\nX-B: b", "X-B: b"),
            ("X\u{e9}: x\r\nX-B: b", "X-B: b"),
            ("X\0: x\r\nX-B: b", "X-B: b"),
            ("X-A : x", "X-A: x"),
            ("X-A: a\x7fb", "X-A: a b"),
            ("X-A: a\x01b\0c\rd", "X-A: a b c d"),
            (" leading\r\nX-B: b", "X-B: b"),
            ("X-A: caf\u{e9}\tx", "X-A: caf\u{e9}\tx"),
            ("X-A:\nX-B: b", "X-A:\r\nX-B: b"),
            ("Content-Length: 13\r\nX Frame: x", "Content-Length: 13"),
        ] {
            assert_eq!(mended(odd).as_deref(), Some(expected), "{odd:?}");
        }
    }

    #[test]
    fn what_tells_the_bodys_end_is_neither_mended_nor_left_out() {
        for odd in [
            "Content-Length: 1\r\n 3",
            "content-length:\r\n\t13",
            "Content-Length : 13",
            "Content-Length\t: 13",
            "Content-Length: 13\x01",
            "Content-Length: 1\r3",
            "Content-Length\0: 13",
            "\x01Content-Length: 13",
            "Content Length: 13",
            " Content-Length: 13",
            "\tTransfer-Encoding: chunked",
            "Transfer-Encoding: gzip,\r\n chunked",
            "Transfer-Encoding : chunked",
            "Transfer-Encoding: \x0bchunked",
            "TRANSFER-ENCODING\x7f: chunked",
            ": x\r\n Content-Length: 13",
        ] {
            assert_eq!(mended(odd), None, "{odd:?}");
        }
        for plain in ["Content-Length: 13", "Content-Length: 1\r\nContent-Length: 2"] {
            assert_eq!(mended(plain).as_deref(), Some(plain));
        }
    }

    #[test]
    fn a_reason_may_hold_anything() {
        let head = mend(b"HTTP/1.1 200 O\x01K\x7f \xe9\r\n\r\n");
        let expected = b"HTTP/1.1 200 O K  \xe9\r\n\r\n".to_vec();
        assert!(matches!(&head, Mended::Whole { head, .. } if *head == expected), "{head:?}");
    }

    #[test]
    fn what_is_no_head_is_left_as_it_is() {
        for input in [
            "",
            "\x16\x03\x01\x02",
            "SSH-2.0-OpenSSH_9.2p1\r\n",
            "\r\n",
            "HTTP/2.0 200 OK\r\n",
            "HTTP/1.1 2000 OK\r\n",
            "HTTP/1.1 20 OK\r\n",
            "HTTP/1.1 \r\n",
            "HTTP/1.1 200 OK\r\nNonsense\r\n",
        ] {
            assert_eq!(mend(input.as_bytes()), Mended::Hopeless, "{input:?}");
        }
    }

    #[test]
    fn a_head_is_awaited_to_its_end() {
        let whole = "HTTP/1.1 103 Early\r\nX Y: z\r\n\r\nHTTP/1.1 200 OK\r\nX-A: a\r\n b\r\n\r\n";
        for end in "HTTP/1.1 103 Early\r\n".len()..whole.len() {
            assert_eq!(mend(&whole.as_bytes()[..end]), Mended::Incomplete, "{end}");
        }
        let head = b"HTTP/1.1 200 OK\r\nX-A: a b\r\n\r\n".to_vec();
        assert_eq!(mend(whole.as_bytes()), Mended::Whole { length: whole.len(), head });
    }

    #[test]
    fn switching_protocols_is_no_interim_answer() {
        let head = "HTTP/1.1 101 Switching\r\nX-A: a\r\n\r\n";
        let whole = Mended::Whole { length: head.len(), head: head.as_bytes().to_vec() };
        assert_eq!(mend(head.as_bytes()), whole);
    }

    #[test]
    fn of_too_many_headers_those_that_are_read_stay() {
        let many = "X-Many: 1\r\n".repeat(300);
        let read = "Date: d\r\nX-RateLimit-Remaining: 0\r\nretry-after: 5\r\nContent-Length: 13";
        let mended = mended(&format!("{many}{read}")).expect("a head");
        assert_eq!(mended.lines().count(), MOST_HEADERS);
        assert!(mended.ends_with(read) && mended.starts_with("X-Many: 1\r\n"));
    }

    #[test]
    fn more_headers_that_are_read_than_ureq_takes_are_left_to_it() {
        let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "Date: d\r\n".repeat(7000));
        assert!(matches!(mend(many.as_bytes()), Mended::Whole { head, .. } if head.len() > 60_000));
    }
}
