//! The state of an upload that can go on: a line of text of at most 4 KiB that fits any store, without a
//! secret in it. It tells the service and the video that it belongs to, how the file is cut and which parts
//! are confirmed, what the file is known by, and a checksum, so that a damaged one is no state at all.

use super::file::{Identity, Seen};
use super::multipart::hexadecimal;
use super::plan::{Plan, Sizes};
use super::runs::Runs;
use crate::base_url::BaseUrl;
use crate::limits::{LONGEST_STATE, LONGEST_VIDEO_ID};
use crate::secret::encode;
use percent_encoding::percent_decode_str;
use ring::digest;

/// What every state begins with: what it is, and in which format.
const FORMAT: &str = "apivideo-upload/1";

/// What stands for the size of what has no end yet.
const UNKNOWN: &str = "*";

/// What of its SHA-256 stands for a text here: enough to tell mistakes, of which nobody makes 2^32.
const SHORT_HASH: usize = 16;

/// What is known of an upload that was begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct State {
    pub video_id: String,
    /// The service, as [`origin`] tells it.
    pub origin: String,
    pub plan: Plan,
    /// The parts that the service has confirmed, never the last one.
    pub confirmed: Runs,
    /// How many unfinished videos it has left behind.
    pub videos_abandoned: u32,
    /// What the file is known by; `None` of a stream.
    pub file: Option<Identity>,
}

/// What a state tells of the service: not where it is, only whether it is the same.
pub(crate) fn origin(base_url: &BaseUrl) -> String {
    let scheme = if base_url.is_https() { "https" } else { "http" };
    let host = base_url.host().to_ascii_lowercase();
    short_hash(&format!("{scheme}://{host}:{}{}", base_url.port(), base_url.prefix))
}

/// A state with what shows that it is whole.
pub(crate) fn with_checksum(text: &str) -> String {
    format!("{text} check={}", short_hash(text))
}

fn short_hash(text: &str) -> String {
    let mut hash = hexadecimal(digest::digest(&digest::SHA256, text.as_bytes()).as_ref());
    hash.truncate(SHORT_HASH);
    hash
}

impl State {
    /// The same as text. `None` if it were too long, which takes more holes between confirmed parts than an
    /// upload makes.
    pub fn to_text(&self) -> Option<String> {
        let State { video_id, origin, plan, confirmed, videos_abandoned, file } = self;
        let total = plan.total().map_or(UNKNOWN.into(), |total| total.to_string());
        let mut text = format!(
            "{FORMAT} video={} origin={origin} total={total} first={} part={} done={confirmed} \
             abandoned={videos_abandoned}",
            encode(video_id),
            plan.first(),
            plan.part(),
        );
        if let Some(file) = file {
            let (seconds, nanoseconds) = file.seen.modified;
            let digest = hexadecimal(&file.digest);
            text += &format!(" mtime={seconds}.{nanoseconds} sha256={digest}");
        }
        let text = with_checksum(&text);
        (text.len() <= LONGEST_STATE).then_some(text)
    }

    /// Whether the last part is all that is not confirmed: if that was sent, the video may be whole.
    pub fn may_be_whole(&self) -> bool {
        self.plan.count().is_some_and(|count| self.confirmed.numbers().count() as u32 + 1 == count)
    }

    /// The state that a text tells; or why it is none, to follow "params.resume".
    pub fn parse(text: &str, sizes: &Sizes) -> Result<Self, String> {
        if text.len() > LONGEST_STATE {
            return Err(format!("is longer than {LONGEST_STATE} bytes"));
        }
        let format = text.split(' ').next().unwrap_or_default();
        if format != FORMAT {
            return Err(match format.split_once('/') {
                Some(("apivideo-upload", _)) => "is of another version of this library".into(),
                _ => "is not the state of an upload".into(),
            });
        }
        let damaged = || "is damaged".to_owned();
        let (told, check) = text.rsplit_once(" check=").ok_or_else(damaged)?;
        if check != short_hash(told) {
            return Err(damaged());
        }
        // Who can make the right checksum may have written it, but not in another way than here.
        let state = State::parse_fields(told, sizes);
        state.filter(|state| state.to_text().as_deref() == Some(text)).ok_or_else(damaged)
    }

    fn parse_fields(told: &str, sizes: &Sizes) -> Option<Self> {
        let mut fields = told.split(' ').skip(1);
        let mut field = |name: &'static str| fields.next()?.strip_prefix(name)?.strip_prefix('=');
        let video_id = percent_decode_str(field("video")?).decode_utf8().ok()?.into_owned();
        let origin = field("origin")?.to_owned();
        let total = match field("total")? {
            UNKNOWN => None,
            total => Some(total.parse().ok()?),
        };
        let (first, part) = (field("first")?.parse().ok()?, field("part")?.parse().ok()?);
        let plan = Plan::told(total, first, part, sizes)?;
        // The last part ends an upload: none goes on after it.
        let confirmed = Runs::parse(field("done")?, plan.count().unwrap_or(sizes.most_parts) - 1)?;
        let videos_abandoned = field("abandoned")?.parse().ok()?;
        let file = match total {
            Some(size) => {
                let (seconds, nanoseconds) = field("mtime")?.split_once('.')?;
                let modified = (seconds.parse().ok()?, nanoseconds.parse().ok()?);
                Some(Identity { seen: Seen { size, modified }, digest: bytes(field("sha256")?)? })
            }
            None => None,
        };
        let is_hash = origin.len() == SHORT_HASH && origin.bytes().all(|it| it.is_ascii_hexdigit());
        let is_whole = fields.next().is_none() && is_video_id(&video_id) && is_hash;
        is_whole.then_some(State { video_id, origin, plan, confirmed, videos_abandoned, file })
    }
}

/// Whether a text can be a video's id here: it is sent as a field, and kept.
pub(crate) fn is_video_id(text: &str) -> bool {
    (1..=LONGEST_VIDEO_ID).contains(&text.len()) && !text.contains(char::is_control)
}

/// The 32 bytes that a text tells, two digits each.
fn bytes(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 2 * bytes.len() || !text.is_ascii() {
        return None;
    }
    for (byte, at) in bytes.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(&text[at..at + 2], 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZES: Sizes = Sizes::OF_THE_SERVICE;
    const MIB: u64 = 1024 * 1024;

    fn state() -> State {
        let mut confirmed = Runs::default();
        [1, 2, 3, 5].into_iter().for_each(|number| confirmed.insert(number));
        let total = 300 * MIB + 1;
        State {
            video_id: "vi4k0jvEUuaTdRAEjQ4Jfrgz".into(),
            origin: "0123456789abcdef".into(),
            plan: Plan::new(total, 0, false, &SIZES).expect("a plan"),
            confirmed,
            videos_abandoned: 2,
            file: Some(Identity {
                seen: Seen { size: total, modified: (1_700_000_000, 123_456_789) },
                digest: [0xa5; 32],
            }),
        }
    }

    fn text(state: &State) -> String {
        state.to_text().expect("a state that is short enough")
    }

    /// The text with one field told otherwise, and the checksum of that.
    fn forged(field: &str, value: &str) -> String {
        let text = text(&state());
        let (told, _) = text.rsplit_once(" check=").expect("a checksum");
        let told: Vec<_> = told
            .split(' ')
            .map(|part| match part.split_once('=') {
                Some((name, _)) if name == field => format!("{name}={value}"),
                _ => part.to_owned(),
            })
            .collect();
        with_checksum(&told.join(" "))
    }

    #[test]
    fn a_state_is_one_line_that_tells_all_there_is() {
        let text = text(&state());
        assert!(
            text.starts_with(
                "apivideo-upload/1 video=vi4k0jvEUuaTdRAEjQ4Jfrgz origin=0123456789abcdef \
                 total=314572801 first=5242880 part=33554432 done=1-3,5 abandoned=2 \
                 mtime=1700000000.123456789 sha256=a5a5"
            ),
            "{text}"
        );
        assert!(!text.contains(char::is_control) && text.is_ascii());
        assert_eq!(State::parse(&text, &SIZES), Ok(state()));
    }

    #[test]
    fn odd_ids_and_empty_runs_and_old_times_come_back() {
        let mut state = state();
        state.video_id = "a b=c/é check=%20".into();
        state.confirmed = Runs::default();
        let file = state.file.as_mut().expect("a file");
        file.seen.modified = (-1, 999_999_999);
        assert_eq!(State::parse(&text(&state), &SIZES), Ok(state));
    }

    #[test]
    fn the_longest_state_fits() {
        let mut state = state();
        state.video_id = "%".repeat(LONGEST_VIDEO_ID);
        let total = 10_000 * 200 * MIB;
        state.plan = Plan::new(total, 0, true, &SIZES).expect("a plan");
        state.file.as_mut().expect("a file").seen.size = total;
        state.confirmed = Runs::default();
        // As many holes as sixteen parts at once can leave, twice.
        (9_000..9_064).step_by(2).for_each(|number| state.confirmed.insert(number));
        assert_eq!(State::parse(&text(&state), &SIZES), Ok(state.clone()));
        (1..9_000).step_by(2).for_each(|number| state.confirmed.insert(number));
        assert_eq!(state.to_text(), None);
    }

    #[test]
    fn a_damaged_state_is_none() {
        let text = text(&state());
        for at in 0..text.len() {
            assert!(State::parse(&text[..at], &SIZES).is_err(), "cut at {at}");
            for other in ["0", "z", " ", "=", "é", ""] {
                let damaged = [&text[..at], other, &text[at + 1..]].concat();
                if damaged != text {
                    assert!(State::parse(&damaged, &SIZES).is_err(), "{damaged}");
                }
            }
        }
        for end in [" ", "\n", "x", "0"] {
            assert!(State::parse(&format!("{text}{end}"), &SIZES).is_err(), "{end:?}");
        }
    }

    #[test]
    fn what_is_written_with_the_right_checksum_is_looked_at_all_the_same() {
        assert!(State::parse(&forged("abandoned", "3"), &SIZES).is_ok());
        let too_long = "x".repeat(LONGEST_VIDEO_ID + 1);
        for (field, value) in [
            ("video", ""),
            ("video", "%00"),
            ("video", "%ff"),
            ("video", &too_long),
            ("total", "0"),
            ("total", "-1"),
            ("total", "1"),
            ("total", "18446744073709551615"),
            ("total", "18446744073709551616"),
            ("first", "1"),
            ("part", "0"),
            ("part", "1"),
            ("done", "1-11"),
            ("done", "3-1"),
            ("done", "x"),
            ("abandoned", "-1"),
            ("abandoned", "+3"),
            ("abandoned", "03"),
            ("video", "é"),
            ("video", "%41"),
            ("origin", "é"),
            ("abandoned", "4294967296"),
            ("mtime", "1"),
            ("mtime", "1.x"),
            ("sha256", "a5"),
            ("sha256", &"zz".repeat(32)),
            ("sha256", &"é".repeat(32)),
        ] {
            let text = forged(field, value);
            assert_eq!(State::parse(&text, &SIZES), Err("is damaged".into()), "{text}");
        }
    }

    #[test]
    fn the_last_part_is_in_no_state() {
        let plan = state().plan;
        assert_eq!(plan.count(), Some(11));
        assert!(State::parse(&forged("done", "1-10"), &SIZES).is_ok());
        assert!(State::parse(&forged("done", "1-11"), &SIZES).is_err());
    }

    #[test]
    fn other_texts_are_told_for_what_they_are() {
        let why = |text: &str| State::parse(text, &SIZES).expect_err("no state");
        assert_eq!(why(""), "is not the state of an upload");
        assert_eq!(why("{\"video\":1}"), "is not the state of an upload");
        assert_eq!(why("apivideo-upload/2 video=x"), "is of another version of this library");
        assert_eq!(why("apivideo-upload/1 video=x"), "is damaged");
        assert!(why(&"x".repeat(5000)).contains("longer than 4096 bytes"));
    }

    #[test]
    fn an_origin_is_scheme_host_port_and_prefix_whatever_way_it_is_written() {
        let origin = |url| origin(&BaseUrl::parse(url, true).expect("a URL"));
        let production = origin("https://ws.api.video");
        for same in ["https://WS.api.video/", "https://ws.api.video:443"] {
            assert_eq!(origin(same), production, "{same}");
        }
        for other in [
            "http://ws.api.video:443",
            "https://sandbox.api.video",
            "https://ws.api.video:8443",
            "https://ws.api.video/v2",
        ] {
            assert_ne!(origin(other), production, "{other}");
        }
        assert_eq!(production.len(), SHORT_HASH);
    }
}
