//! `azure_identity`, measured as azcred is: `peer WHAT`. Each prints one JSON object.

mod cached;
mod cold;
mod credential;
mod first;
mod renewal;

use std::process::ExitCode;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let answer = match words[..] {
        ["nothing"] => return ExitCode::SUCCESS,
        ["cached", "time"] => cached::time(),
        ["cached", number] => cached::make_calls(number.parse().unwrap_or(0)),
        ["cold"] => cold::callers(),
        ["first", kind] => first::token(kind),
        ["other"] => renewal::other(),
        _ => return ExitCode::from(2),
    };
    println!("{answer}");
    ExitCode::SUCCESS
}
