//! A report, for people and for programs.

use serde_json::{Value, json};

use super::check::{Check, Outcome};
use super::host::{Agent, Authority, Trust};
use super::{Report, remedy};
use crate::cli::{plain, say, span};

/// A clock that differs by more makes servers refuse assertions, and tokens look dead.
const SKEW: i64 = 30;

pub(super) fn show(report: &Report, as_json: bool) -> Result<(), String> {
    if as_json {
        return say(&object(report).to_string());
    }
    for line in lines(report) {
        say(&line)?;
    }
    Ok(())
}

fn object(report: &Report) -> Value {
    let host = &report.host;
    let trouble = |sentence: &String| json!({ "message": sentence, "next": remedy::of(sentence) });
    let identities: Vec<Value> = report
        .identities
        .iter()
        .map(|(name, check)| {
            let mut object = check.json();
            object["name"] = json!(name);
            object
        })
        .collect();
    json!({
        "version": azcred::VERSION,
        "platform": { "system": std::env::consts::OS, "machine": std::env::consts::ARCH, "is_azure": host.is_azure },
        "resource": report.resource,
        "configuration": { "file": report.file, "trouble": report.trouble.as_ref().map(trouble) },
        "identities": identities,
        "chain": match &report.chain {
            Ok(checks) => json!({ "members": checks.iter().map(Check::json).collect::<Vec<_>>() }),
            Err(sentence) => json!({ "members": [], "trouble": trouble(sentence) }),
        },
        "store": match &host.store {
            Ok((folder, tokens)) => json!({ "folder": folder, "tokens": tokens }),
            Err(reason) => json!({ "folder": null, "trouble": trouble(reason) }),
        },
        "agent": match &host.agent {
            Agent::At(address) => json!({ "address": address }),
            Agent::Nowhere(all) => json!({ "address": null, "looked_at": all }),
        },
        "authority": match &host.authority {
            Authority { host, answer: Ok(ahead), took } => {
                json!({ "host": host, "clock_ahead_s": ahead, "took_ms": u64::try_from(*took).unwrap_or(u64::MAX) })
            }
            Authority { host, answer: Err(sentence), .. } => json!({ "host": host, "trouble": trouble(sentence) }),
        },
        "proxies": host.proxies.iter().map(|(name, value)| ((*name).to_owned(), json!(value))).collect::<serde_json::Map<_, _>>(),
        "trust": host.trust.iter().map(|trust| json!({
            "variable": trust.variable,
            "path": trust.path,
            "replaces_the_systems": trust.replaces,
            "exists": trust.exists,
        })).collect::<Vec<_>>(),
        "variables": host.variables,
    })
}

fn lines(report: &Report) -> Vec<String> {
    let host = &report.host;
    let azure = if host.is_azure { "an Azure VM" } else { "no Azure VM" };
    let mut lines = vec![
        format!("azcred {} on {} {}, {azure}", azcred::VERSION, std::env::consts::OS, std::env::consts::ARCH),
        format!("asking for {}", plain(&report.resource)),
        String::new(),
    ];
    let file = report.file.as_deref().unwrap_or("none");
    lines.push(format!("host's identities: {}", plain(file)));
    if let Some(sentence) = &report.trouble {
        problem(&mut lines, sentence);
    }
    for (name, check) in &report.identities {
        checked(&mut lines, &format!("{}: ", plain(name)), check);
    }
    lines.extend([String::new(), "default chain".to_owned()]);
    match &report.chain {
        Ok(checks) => checks.iter().for_each(|check| checked(&mut lines, "", check)),
        Err(sentence) => problem(&mut lines, sentence),
    }
    lines.push(String::new());
    match &host.store {
        Ok((folder, tokens)) => lines.push(format!("shared store: {}, {tokens} tokens", plain(folder))),
        Err(reason) => {
            lines.push("shared store: none".to_owned());
            problem(&mut lines, reason);
        }
    }
    lines.push(match &host.agent {
        Agent::At(address) => format!("agent: at {}", plain(address)),
        Agent::Nowhere(all) => format!("agent: none (nothing is at {})", plain(&all.join(", "))),
    });
    let Authority { host: authority, answer, took } = &host.authority;
    match answer {
        Ok(ahead) => {
            let clock = match ahead {
                Some(ahead) if ahead.abs() > SKEW => format!("this host's clock is off by {} s: set it", -ahead),
                Some(_) => "this host's clock is right".to_owned(),
                None => "it does not say what time it is".to_owned(),
            };
            lines.push(format!("authority: {} answers in {took} ms; {clock}", plain(authority)));
        }
        Err(sentence) => {
            lines.push(format!("authority: {} gives no answer", plain(authority)));
            problem(&mut lines, sentence);
        }
    }
    for (name, value) in &host.proxies {
        lines.push(format!("proxy: {name} = {}", plain(value)));
    }
    for Trust { variable, path, replaces, exists } in &host.trust {
        let place = if *replaces { "in place of the system's" } else { "beside the system's" };
        let there = if *exists { "" } else { ": nothing is there; correct it, or unset it" };
        lines.push(format!("certificate authorities {place}: {variable} = {}{there}", plain(path)));
    }
    let names = if host.variables.is_empty() { "none".to_owned() } else { host.variables.join(", ") };
    lines.push(format!("variables that are set: {names}"));
    lines
}

fn problem(lines: &mut Vec<String>, sentence: &str) {
    lines.extend(sentence.lines().map(|line| format!("  {}", plain(line))));
    lines.push(format!("    next: {}", remedy::of(sentence)));
}

fn checked(lines: &mut Vec<String>, name: &str, check: &Check) {
    let Check { credential, outcome, took } = check;
    match outcome {
        Outcome::Token(token) => {
            let provenance = token.provenance();
            let id = |what: &str, id: &Option<String>| id.as_ref().map(|id| format!(", {what} {}", plain(id)));
            let now = azcred::World::real().clock.now();
            lines.push(format!(
                "  token  {name}{} ({}){}{}, lives {} [{took} ms, {}]",
                provenance.credential,
                provenance.source,
                id("client", &provenance.client_id).unwrap_or_default(),
                id("tenant", &provenance.tenant_id).unwrap_or_default(),
                span(token.expires_on() - now),
                token.cache_level().name(),
            ));
        }
        Outcome::Skipped(why) => lines.push(format!("  -      {name}{credential}: {why}")),
        Outcome::Error(kind, sentence) => {
            let own = sentence.strip_prefix(&format!("{credential}: ")).unwrap_or(sentence);
            let mut parts = own.lines();
            let first = parts.next().unwrap_or_default();
            let mark = if *kind == "UNAVAILABLE" { "no   " } else { "ERROR" };
            lines.push(format!("  {mark}  {name}{credential}: {} [{took} ms]", plain(first)));
            lines.extend(parts.map(|line| format!("         {}", plain(line))));
            lines.push(format!("         next: {}", remedy::of(sentence)));
        }
    }
}
