//! A video as the service tells it in answer to an upload, decoded leniently: only its id must be there.
//! Source of facts: the service's OpenAPI document, "Video". The addresses of a private video's assets hold
//! secrets, so that none of it is shown or traced.

use super::state::is_video_id;
use crate::answer::date::unix_seconds;
use crate::answer::json;
use crate::limits::LONGEST_VIDEO_ID;
use std::borrow::Cow;

/// A text of the service's that is told, borrowed from its answer.
type Told<'de> = Option<Cow<'de, str>>;

/// A video, borrowed from the answer. It may hold secrets, and has no Debug.
#[derive(Default)]
pub(crate) struct Video<'de> {
    pub id: Cow<'de, str>,
    pub title: Told<'de>,
    /// In Unix seconds.
    pub created_at: Option<i64>,
    /// In Unix seconds.
    pub published_at: Option<i64>,
    pub is_public: Option<bool>,
    pub assets: Assets<'de>,
    /// Whether more than its id is told, which the service does once it is whole.
    pub is_described: bool,
}

/// Where a video is to be seen.
#[derive(Default)]
pub(crate) struct Assets<'de> {
    pub player: Told<'de>,
    /// HTML, not an address.
    pub iframe: Told<'de>,
    pub hls: Told<'de>,
    pub mp4: Told<'de>,
    pub thumbnail: Told<'de>,
}

/// What the service tells of a video that is whole, besides what is read here.
const OTHER_FIELDS: [&str; 11] = [
    "description",
    "language",
    "languageOrigin",
    "metadata",
    "mp4Support",
    "panoramic",
    "playerId",
    "source",
    "tags",
    "updatedAt",
    "discarded",
];

impl<'de> Video<'de> {
    /// The video that an answer tells, or what is wrong with it.
    pub fn parse(answer: &'de str) -> Result<Self, String> {
        let (mut video, mut id) = (Video::default(), None);
        let date = |value: &str| unix_seconds(&json::string(value)?);
        json::each_field(answer, &mut |field, value| {
            match field {
                "videoId" => {
                    id = Some(json::string(value).filter(|id| is_video_id(id)));
                    return;
                }
                "title" => video.title = text(value),
                "createdAt" => video.created_at = date(value),
                "publishedAt" => video.published_at = date(value),
                "public" => video.is_public = boolean(value),
                "assets" => video.assets = Assets::parse(value),
                other if OTHER_FIELDS.contains(&other) => {}
                _ => return,
            }
            video.is_described = true;
        })?;
        let id = id.ok_or("videoId is missing")?;
        video.id = id.ok_or_else(|| {
            format!("videoId must be a string of 1 to {LONGEST_VIDEO_ID} bytes on one line")
        })?;
        Ok(video)
    }
}

fn boolean(value: &str) -> Option<bool> {
    match value {
        "true" => Some(true),
        "false" => Some(false),
        _ => None,
    }
}

/// A string that C can be told, which takes a NUL for the end.
fn text(value: &str) -> Told<'_> {
    json::string(value).filter(|text| !text.contains('\0'))
}

impl<'de> Assets<'de> {
    /// What of them is told; nothing if it is no object.
    fn parse(value: &'de str) -> Self {
        let mut assets = Assets::default();
        let read = json::each_field(value, &mut |field, value| match field {
            "player" => assets.player = text(value),
            "iframe" => assets.iframe = text(value),
            "hls" => assets.hls = text(value),
            "mp4" => assets.mp4 = text(value),
            "thumbnail" => assets.thumbnail = text(value),
            _ => {}
        });
        if read.is_ok() { assets } else { Assets::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Video<'_> {
        Video::parse(text).expect(text)
    }

    fn complaint(text: &str) -> String {
        Video::parse(text).map(drop).expect_err(text)
    }

    #[test]
    fn all_of_a_video_is_read() {
        let video = parse(
            r#"{"videoId":"vi4k0j","title":"Film \"1\"","description":"","public":false,
                "panoramic":false,"mp4Support":true,"publishedAt":"2020-12-02T10:13:19+00:00",
                "createdAt":"2020-12-02T10:13:18Z","updatedAt":"2020-12-02T10:13:19Z","tags":[],
                "metadata":[{"key":"a","value":"b"}],"source":{"uri":"/videos/vi4k0j/source"},
                "assets":{"iframe":"<iframe src=\"x\"></iframe>","player":"https://e/p",
                "hls":"https://e/h","thumbnail":"https://e/t","mp4":"https://e/m","more":7}}"#,
        );
        assert_eq!(video.id, "vi4k0j");
        assert_eq!(video.title.as_deref(), Some("Film \"1\""));
        assert_eq!(video.created_at, Some(1_606_903_998));
        assert_eq!(video.published_at, Some(1_606_903_999));
        assert_eq!(video.is_public, Some(false));
        let assets = &video.assets;
        let texts = [&assets.player, &assets.iframe, &assets.hls, &assets.mp4, &assets.thumbnail];
        let expected = ["https://e/p", "<iframe src=\"x\"></iframe>", "https://e/h", "https://e/m"];
        assert_eq!(
            texts.map(|text| text.as_deref()),
            [
                Some(expected[0]),
                Some(expected[1]),
                Some(expected[2]),
                Some(expected[3]),
                Some("https://e/t"),
            ]
        );
        assert!(video.is_described);
    }

    #[test]
    fn what_is_odd_or_absent_is_not_told_and_spoils_nothing() {
        for text in [
            r#"{"videoId":"vi","title":7,"public":"yes","createdAt":"x","assets":[]}"#,
            r#"{"videoId":"vi","title":null,"public":null,"createdAt":null,"assets":null}"#,
            r#"{"title":"a\u0000b","assets":{"hls":{},"mp4":"\u0000"},"videoId":"vi"}"#,
        ] {
            let video = parse(text);
            assert_eq!(video.id, "vi");
            assert!(video.title.is_none() && video.is_public.is_none(), "{text}");
            assert!(video.created_at.is_none() && video.assets.hls.is_none(), "{text}");
            assert!(video.assets.mp4.is_none() && video.is_described, "{text}");
        }
    }

    #[test]
    fn an_id_alone_describes_nothing() {
        assert!(!parse(r#"{"videoId":"vi"}"#).is_described);
        assert!(!parse(r#"{"videoId":"vi","receivedParts":[1]}"#).is_described);
        assert!(parse(r#"{"videoId":"vi","title":""}"#).is_described);
        assert!(parse(r#"{"tags":[],"videoId":"vi"}"#).is_described);
    }

    #[test]
    fn without_a_usable_id_it_is_none() {
        assert_eq!(complaint("{}"), "videoId is missing");
        let longer = format!(r#"{{"videoId":"{}"}}"#, "x".repeat(LONGEST_VIDEO_ID + 1));
        for text in [
            r#"{"videoId":7}"#,
            r#"{"videoId":""}"#,
            r#"{"videoId":"a\u0000"}"#,
            r#"{"videoId":"a\r\nb"}"#,
            &longer,
        ] {
            assert!(
                complaint(text).starts_with("videoId must be a string of 1 to 512 bytes"),
                "{text}"
            );
        }
        for text in ["", "[]", "null", "<html>", "{\"videoId\":\"vi\"", "{\"videoId\":\"vi\"} x"] {
            complaint(text);
        }
    }
}
