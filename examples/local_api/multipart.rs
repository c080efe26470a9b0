//! multipart/form-data, read as it comes: of a body of any length no more is held than one piece of
//! it and the head of one part.

use memchr::memmem::Finder;

/// Longer heads are refused; those of uploaders take some 200 bytes.
const LONGEST_HEAD: usize = 16 * 1024;
const LINE_END: &[u8] = b"\r\n";
const HEAD_END: &[u8] = b"\r\n\r\n";

pub enum Event<'a> {
    /// A part begins; the one before, if there was one, has ended.
    Part(Disposition),
    /// Some of its content.
    Content(&'a [u8]),
}

/// What a part is.
#[derive(Debug, Default, PartialEq)]
pub struct Disposition {
    pub name: String,
    /// A part with one is a file.
    pub file_name: Option<String>,
}

#[derive(Debug, PartialEq)]
pub struct Malformed;

pub struct Reader {
    /// A line's end, two dashes and the boundary.
    delimiter: Finder<'static>,
    /// What cannot be told yet to be content, a delimiter or a head.
    pending: Vec<u8>,
    place: Place,
}

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Preamble,
    AfterDelimiter,
    Head,
    Content,
    Epilogue,
}

impl Reader {
    pub fn new(boundary: &str) -> Self {
        Self {
            delimiter: Finder::new(format!("\r\n--{boundary}").as_bytes()).into_owned(),
            // The first delimiter has no line before it whose end would belong to it.
            pending: LINE_END.to_vec(),
            place: Place::Preamble,
        }
    }

    /// Nothing but an epilogue may follow.
    pub fn is_complete(&self) -> bool {
        self.place == Place::Epilogue
    }

    /// Reads the next piece of the body and tells what is in it.
    pub fn read(&mut self, bytes: &[u8], mut tell: impl FnMut(Event)) -> Result<(), Malformed> {
        if self.is_complete() {
            return Ok(());
        }
        self.pending.extend_from_slice(bytes);
        let mut done = 0;
        while let Some(step) = self.step(&self.pending[done..], &mut tell)? {
            done += step.length;
            self.place = step.to;
            if !step.goes_on {
                break;
            }
        }
        self.pending.drain(..done);
        Ok(())
    }

    /// None if more has to come first.
    fn step(
        &self,
        pending: &[u8],
        tell: &mut impl FnMut(Event),
    ) -> Result<Option<Step>, Malformed> {
        match self.place {
            Place::Preamble | Place::Content => {
                let found = self.delimiter.find(pending);
                // Its last bytes may be the first of a delimiter.
                let longest_beginning = self.delimiter.needle().len() - 1;
                let content =
                    found.unwrap_or_else(|| pending.len().saturating_sub(longest_beginning));
                if self.place == Place::Content && content > 0 {
                    tell(Event::Content(&pending[..content]));
                }
                Ok(Some(match found {
                    Some(at) => Step::to(Place::AfterDelimiter, at + self.delimiter.needle().len()),
                    None => Step { length: content, to: self.place, goes_on: false },
                }))
            }
            Place::AfterDelimiter => {
                let padding = pending.iter().take_while(|byte| b" \t".contains(byte)).count();
                match &pending[padding..] {
                    [] | [b'-' | b'\r'] if padding < LONGEST_HEAD => Ok(None),
                    [b'-', b'-', ..] => Ok(Some(Step::to(Place::Epilogue, pending.len()).last())),
                    // The line's end stays: a head without lines ends with it.
                    [b'\r', b'\n', ..] => Ok(Some(Step::to(Place::Head, padding))),
                    _ => Err(Malformed),
                }
            }
            Place::Head => match memchr::memmem::find(pending, HEAD_END) {
                Some(length) => {
                    tell(Event::Part(disposition(&pending[..length])?));
                    Ok(Some(Step::to(Place::Content, length + HEAD_END.len())))
                }
                None if pending.len() < LONGEST_HEAD => Ok(None),
                None => Err(Malformed),
            },
            Place::Epilogue => Ok(None),
        }
    }
}

struct Step {
    /// What has been read.
    length: usize,
    to: Place,
    goes_on: bool,
}

impl Step {
    fn to(place: Place, length: usize) -> Self {
        Self { length, to: place, goes_on: true }
    }

    fn last(self) -> Self {
        Self { goes_on: false, ..self }
    }
}

/// The boundary, if that is the type.
pub fn boundary(content_type: &str) -> Option<String> {
    let (media_type, parameters) = content_type.split_once(';')?;
    let is_form = media_type.trim().eq_ignore_ascii_case("multipart/form-data");
    is_form.then(|| parameter(parameters, "boundary")).flatten().filter(|it| !it.is_empty())
}

fn disposition(head: &[u8]) -> Result<Disposition, Malformed> {
    let head = String::from_utf8_lossy(head);
    let parameters = head
        .lines()
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.trim().eq_ignore_ascii_case("Content-Disposition"))
        .and_then(|(_, value)| value.split_once(';'))
        .map(|(_, parameters)| parameters)
        .ok_or(Malformed)?;
    Ok(Disposition {
        name: parameter(parameters, "name").ok_or(Malformed)?,
        file_name: parameter(parameters, "filename"),
    })
}

/// One of `name=value; name="value"`, where a backslash stands before a quote or another backslash;
/// before anything else it is itself, as browsers leave it.
fn parameter(mut parameters: &str, wanted: &str) -> Option<String> {
    loop {
        let (name, rest) = parameters.split_once('=')?;
        let (value, rest) = match rest.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (value, rest) = rest.split_once(';').unwrap_or((rest, ""));
                (value.trim().to_owned(), rest)
            }
        };
        if name.trim_matches([' ', '\t', ';']).eq_ignore_ascii_case(wanted) {
            return Some(value);
        }
        parameters = rest;
    }
}

/// What is before the closing quote, and what is after it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut characters = quoted.char_indices().peekable();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, &quoted[at + 1..])),
            '\\' => match characters.next_if(|(_, next)| matches!(next, '"' | '\\')) {
                Some((_, escaped)) => value.push(escaped),
                None => value.push(character),
            },
            _ => value.push(character),
        }
    }
    None
}
