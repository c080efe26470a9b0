//! How an integer is written, in a query and in JSON alike: digits, perhaps after a sign, and neither
//! a fraction nor an exponent, as OpenAPI 3.0 has it.

/// Beyond 128 bits it is the nearest within: out of every range either way.
pub fn parse(text: &str) -> Option<i128> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nearest = if text.starts_with('-') { i128::MIN } else { i128::MAX };
    Some(text.parse().unwrap_or(nearest))
}
