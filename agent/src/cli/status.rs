//! `azcred status`: what the shared store holds. Never a token.

use azcred::{StoredToken, World};
use clap::Args;
use serde_json::json;

use super::{plain, say, span};

/// How to print it.
#[derive(Args, Debug)]
#[command(after_help = "Examples:\n  azcred status\n  azcred status --json")]
pub(super) struct Arguments {
    /// Print an object for programs.
    #[arg(long)]
    json: bool,
}

pub(super) fn run(arguments: &Arguments) -> Result<(), String> {
    let world = World::real();
    let now = world.clock.now();
    let stored = world.stored().map(|mut stored| {
        stored.tokens.retain(|token| token.expires_on > now);
        stored.tokens.sort_by(|one, other| (&one.scopes, &one.credential).cmp(&(&other.scopes, &other.credential)));
        stored
    });
    if arguments.json {
        let object = match &stored {
            Ok(stored) => {
                let tokens: Vec<_> = stored.tokens.iter().map(object).collect();
                json!({ "store": stored.folder, "tokens": tokens })
            }
            Err(reason) => json!({ "store": null, "reason": reason, "tokens": [] }),
        };
        return say(&object.to_string());
    }
    let stored = match stored {
        Ok(stored) => stored,
        Err(reason) => return say(&format!("no tokens are shared: {reason}")),
    };
    say(&format!("{}: {}", stored.folder.display(), count(stored.tokens.len())))?;
    for token in &stored.tokens {
        let of = |name: &str, id: &Option<String>| {
            id.as_ref().map(|id| format!(", {name} {}", plain(id))).unwrap_or_default()
        };
        let (credential, source) = (plain(&token.credential), plain(&token.source));
        let (client, tenant) = (of("client", &token.client_id), of("tenant", &token.tenant_id));
        say(&format!("  {}", plain(&token.scopes)))?;
        say(&format!(
            "    {credential} ({source}){client}{tenant}; {} old, lives {}",
            span(now - token.got),
            span(token.expires_on - now)
        ))?;
    }
    Ok(())
}

fn count(tokens: usize) -> String {
    match tokens {
        0 => "nothing".to_owned(),
        1 => "1 token".to_owned(),
        more => format!("{more} tokens"),
    }
}

fn object(token: &StoredToken) -> serde_json::Value {
    json!({
        "credential": token.credential,
        "source": token.source,
        "tenant_id": token.tenant_id,
        "client_id": token.client_id,
        "scopes": token.scopes.split(' ').collect::<Vec<_>>(),
        "got": token.got,
        "expires_on": token.expires_on,
    })
}
