//! What comes from the other side while a request is still being sent: an answer, which ends that, or one
//! that is only interim (1xx), which nobody asked for and which means nothing.

/// How an interim answer begins: `x` is a digit. (RFC 9112, 4)
const INTERIM: &[u8] = b"HTTP/1.x 1xx";

/// What has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Early {
    /// Nothing, or what may yet be either.
    Undecided,
    /// An interim answer of this length, which something may follow.
    Interim(usize),
    /// An answer has begun, or something that is none.
    Answer,
}

/// What `input` begins with.
pub(super) fn judge(input: &[u8]) -> Early {
    let is_like = |(byte, like): (&u8, &u8)| match like {
        b'x' => byte.is_ascii_digit(),
        like => byte == like,
    };
    if !input.iter().zip(INTERIM).all(is_like) || input[..].starts_with(b"HTTP/1.1 101") {
        return Early::Answer;
    }
    let mut length = 0;
    for line in input.split_inclusive(|&byte| byte == b'\n') {
        length += line.len();
        if matches!(line, b"\n" | b"\r\n") {
            return Early::Interim(length);
        }
    }
    Early::Undecided
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interim_answer_is_told_from_one_that_ends_the_sending() {
        let interim = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n";
        for (input, expected) in [
            (interim, Early::Interim(interim.len())),
            ("HTTP/1.0 100 So\n\nHTTP", Early::Interim(17)),
            ("HTTP/1.1 100\r\n\r\nHTTP/1.1 413 No\r\n\r\n", Early::Interim(16)),
            ("HTTP/1.1 413", Early::Answer),
            ("HTTP/1.1 2", Early::Answer),
            // It ends HTTP.
            ("HTTP/1.1 101 Switching\r\n\r\n", Early::Answer),
            ("HTTP/1.1 10x\r\n\r\n", Early::Answer),
            ("SSH-2.0", Early::Answer),
            ("\r\n", Early::Answer),
        ] {
            assert_eq!(judge(input.as_bytes()), expected, "{input:?}");
        }
        for end in 0..interim.len() {
            assert_eq!(judge(&interim.as_bytes()[..end]), Early::Undecided, "{end}");
        }
    }
}
