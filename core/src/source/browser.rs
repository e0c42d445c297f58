//! The user's browser: which program opens a page in it.
//!
//! `BROWSER` decides where it is set, as for Python's `webbrowser` and for `xdg-open`; then what the desktop has. The page
//! is one argument of a program found by absolute path; no shell sees it.

use std::path::{Path, PathBuf};

use crate::request::shown;
use crate::token::Secret;
use crate::world::World;

/// What opens pages, and how one is asked for it.
#[derive(Clone, Copy)]
struct Opener {
    program: &'static str,
    arguments: &'static [&'static str],
}

/// Kinds of desktop. All are compiled everywhere, so that one host's tests try all.
#[derive(Clone, Copy, Debug)]
enum Desktop {
    /// Linux and the BSDs.
    Free,
    Mac,
    Windows,
}

const HERE: Desktop = if cfg!(windows) {
    Desktop::Windows
} else if cfg!(target_os = "macos") {
    Desktop::Mac
} else {
    Desktop::Free
};

const fn plain(program: &'static str) -> Opener {
    Opener { program, arguments: &[] }
}

impl Desktop {
    fn openers(self) -> &'static [Opener] {
        const FREE: [Opener; 5] = [
            plain("xdg-open"),
            plain("x-www-browser"),
            plain("www-browser"),
            plain("gnome-open"),
            // Linux under Windows: the browser is that of Windows.
            plain("wslview"),
        ];
        const MAC: [Opener; 1] = [plain("/usr/bin/open")];
        const WINDOWS: [Opener; 1] = [Opener { program: "rundll32", arguments: &["url.dll,FileProtocolHandler"] }];
        match self {
            Desktop::Free => &FREE,
            Desktop::Mac => &MAC,
            Desktop::Windows => &WINDOWS,
        }
    }

    /// Between the entries of `BROWSER`.
    fn separator(self) -> char {
        if matches!(self, Desktop::Windows) { ';' } else { ':' }
    }
}

/// Opens a page in the user's browser. The error is a sentence that says what was looked for.
pub(crate) async fn open(world: &World, url: &Secret) -> Result<(), String> {
    open_on(HERE, world, url).await
}

async fn open_on(desktop: Desktop, world: &World, url: &Secret) -> Result<(), String> {
    let url = url.expose();
    // Other schemes start other programs. Nothing that any program might read as more than one word gets through.
    let is_word = |byte: u8| byte.is_ascii_graphic() && !b"\"'<>\\^`{|}".contains(&byte);
    if !url.starts_with("https://") || !url.bytes().all(is_word) {
        return Err("the browser opens https URLs only, with all other characters percent-encoded".to_owned());
    }
    let wanted = world.env.get("BROWSER").unwrap_or_default();
    let commands: Vec<Vec<&str>> = wanted
        .split(desktop.separator())
        .map(|entry| {
            let mut words: Vec<&str> = entry.split_whitespace().collect();
            // "In the background", to those that know it: here everything is.
            words.pop_if(|word| *word == "&");
            words
        })
        .filter(|words| !words.is_empty())
        .collect();
    if commands.is_empty() {
        return open_by_desktop(desktop, world, url).await;
    }
    let mut refused = Vec::new();
    for words in &commands {
        let Some((name, arguments)) = words.split_first() else { continue };
        match launch(world, name, filled(arguments, url)).await {
            Ok(()) => return Ok(()),
            Err(error) => refused.push(error),
        }
    }
    Err(format!("no browser could be opened, as the variable BROWSER says: {}", refused.join("; ")))
}

async fn open_by_desktop(desktop: Desktop, world: &World, url: &str) -> Result<(), String> {
    let openers = desktop.openers();
    let variables = ["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME"];
    let has_desktop = || variables.iter().any(|variable| world.env.get(variable).is_some());
    if matches!(desktop, Desktop::Free) && !has_desktop() {
        return Err(
            "no browser can be opened, since there is no desktop: none of the variables DISPLAY, WAYLAND_DISPLAY and \
             WSL_DISTRO_NAME is set; BROWSER may name a program that opens pages without one"
                .to_owned(),
        );
    }
    let mut refused = Vec::new();
    for Opener { program, arguments } in openers {
        match launch(world, program, filled(arguments, url)).await {
            Ok(()) => return Ok(()),
            Err(error) => refused.push(error),
        }
    }
    Err(format!("no browser could be opened: {}; the variable BROWSER may name one", refused.join("; ")))
}

/// The arguments with the page: in place of `%s`, else after them.
fn filled(arguments: &[&str], url: &str) -> Vec<String> {
    let mut filled: Vec<String> = arguments.iter().map(|argument| argument.replace("%s", url)).collect();
    if !arguments.iter().any(|argument| argument.contains("%s")) {
        filled.push(url.to_owned());
    }
    filled
}

async fn launch(world: &World, name: &str, arguments: Vec<String>) -> Result<(), String> {
    let Some(program) = find(world, name) else {
        let place = if is_path(name) { "is no program" } else { "was not found on PATH" };
        return Err(format!("{} {place}", shown(name)));
    };
    tracing::debug!(program = %program.display(), "opening the browser");
    let started = world.processes.launch(program, arguments).await;
    started.map_err(|error| format!("{} could not be started: {error}", shown(name)))
}

/// A program by absolute path or by name: nothing in the caller's folder is run.
fn find(world: &World, name: &str) -> Option<PathBuf> {
    if is_path(name) {
        let path = Path::new(name);
        return (path.is_absolute() && world.files.is_executable(path)).then(|| path.to_owned());
    }
    world.find_program(name)
}

fn is_path(name: &str) -> bool {
    name.contains(std::path::is_separator)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fake::Fake;

    const URL: &str = "https://login.example/t/oauth2/v2.0/authorize?state=canary&scope=a+b%2Fc";

    /// What is started in a world with these variables and these programs, or the sentence.
    fn started(desktop: Desktop, env: &[(&str, &str)], programs: &[&str], url: &str) -> Result<String, String> {
        let (world, fake) = Fake::world();
        fake.set("PATH", "/usr/bin:.:/opt/bin");
        for (name, value) in env {
            fake.set(name, value);
        }
        for program in programs {
            fake.write(program, "");
        }
        fake.browser(|launched| match launched.program.to_str() {
            Some("/opt/bin/broken") => Err(std::io::Error::other("exec format error")),
            _ => Ok(Vec::new()),
        });
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let outcome = runtime.block_on(open_on(desktop, &world, &Secret::new(url)));
        let launched = fake.launched();
        let last = launched.last().map(|launched| {
            let arguments: Vec<String> = launched.arguments.iter().map(|word| word.replace(url, "URL")).collect();
            format!("{} [{}]", launched.program.display(), arguments.join("]["))
        });
        outcome.map(|()| last.unwrap_or_default())
    }

    #[test]
    fn the_first_program_that_is_there() {
        let free = |env: &[(&str, &str)], programs: &[&str]| started(Desktop::Free, env, programs, URL).unwrap();
        let x = ("DISPLAY", ":0");
        assert_eq!(free(&[x], &["/usr/bin/www-browser", "/opt/bin/xdg-open"]), "/opt/bin/xdg-open [URL]");
        assert_eq!(free(&[("WAYLAND_DISPLAY", "w")], &["/usr/bin/gnome-open"]), "/usr/bin/gnome-open [URL]");
        assert_eq!(free(&[("WSL_DISTRO_NAME", "U")], &["/usr/bin/wslview"]), "/usr/bin/wslview [URL]");
        let named = |browser: &str| free(&[("BROWSER", browser)], &["/usr/bin/a", "/opt/bin/broken", "/opt/my/b"]);
        assert_eq!(named("a"), "/usr/bin/a [URL]");
        assert_eq!(named(" gone : /opt/gone:a "), "/usr/bin/a [URL]");
        assert_eq!(named("broken:/opt/my/b"), "/opt/my/b [URL]");
        assert_eq!(named("a --new %s:c"), "/usr/bin/a [--new][URL]");
        assert_eq!(named("a --app=%s -x"), "/usr/bin/a [--app=URL][-x]");
        assert_eq!(named("a -x;rm $(y) & : & "), "/usr/bin/a [-x;rm][$(y)][URL]");
        let other = |desktop, program| started(desktop, &[], &[program], URL).unwrap();
        assert_eq!(other(Desktop::Mac, "/usr/bin/open"), "/usr/bin/open [URL]");
        assert_eq!(
            other(Desktop::Windows, "/usr/bin/rundll32"),
            "/usr/bin/rundll32 [url.dll,FileProtocolHandler][URL]"
        );
    }

    #[test]
    fn what_is_missing_is_said() {
        let x = ("DISPLAY", ":0");
        let everything = ["/usr/bin/xdg-open", "./relative", "bin/relative", "./xdg-open"];
        let nothing: &[(&str, &str)] = &[];
        let cases = [
            (nothing, &everything[..], "no browser can be opened, since there is no desktop"),
            (&[("BROWSER", " : ")], &everything, "no browser can be opened, since there is no desktop"),
            (&[x], &["./xdg-open"], "xdg-open was not found on PATH; x-www-browser was not found on PATH"),
            (&[x, ("BROWSER", "gone")], &everything, "as the variable BROWSER says: gone was not found on PATH"),
            (&[x, ("BROWSER", "bin/relative")], &everything, "bin/relative is no program"),
            (&[("BROWSER", "broken")], &["/opt/bin/broken"], "broken could not be started: exec format error"),
        ];
        for (env, programs, expected) in cases {
            let said = started(Desktop::Free, env, programs, URL).unwrap_err();
            assert!(said.contains(expected) && !said.contains("canary"), "{said}");
        }
    }

    #[test]
    fn only_pages_of_the_web_are_opened() {
        let urls = ["", "http://login.example/", "file:///etc/passwd", "HTTPS://x", "javascript:1", " https://x"];
        let odd = ["https://x/ y", "https://x/\"y", "https://x/\n", "https://x/é", "https://x/`y`", "https://x/\\y"];
        for url in urls.into_iter().chain(odd) {
            let said = started(Desktop::Free, &[("BROWSER", "a")], &["/usr/bin/a"], url).unwrap_err();
            assert!(said.starts_with("the browser opens https URLs only"), "{url}: {said}");
        }
    }

    /// A real one: what it is given, where it runs, that nobody waits for it and that it leaves no zombie.
    #[cfg(target_os = "linux")]
    #[test]
    #[expect(clippy::disallowed_methods, reason = "the test's own file, and its look at the system")]
    fn a_browser_is_left_alone() {
        const SCRIPT: &str = r#"
            ends=$(readlink /proc/$$/fd/0 /proc/$$/fd/1 /proc/$$/fd/2)
            { echo "$#"; printf '%s\n' "$@" "$PWD" "$ends"; cut -d' ' -f5 /proc/$$/stat; echo $$; } > "$0.part"
            mv "$0.part" "$0.told" && exec sleep 60"#;
        let folder = std::env::temp_dir().join(format!("azcred-{}-browser", std::process::id()));
        std::fs::create_dir(&folder).unwrap();
        let script = folder.join("script");
        std::fs::write(&script, SCRIPT).unwrap();
        let (world, fake) = Fake::world();
        let real = World::real();
        let world = World { files: real.files, processes: real.processes, clock: real.clock, ..world };
        fake.set("BROWSER", &format!("/bin/sh {} --new %s", script.display()));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let wait = async |mut is_so: Box<dyn FnMut() -> bool>| {
            for _ in 0..2000 {
                if is_so() {
                    return;
                }
                world.clock.sleep(std::time::Duration::from_millis(5)).await;
            }
            panic!("it did not come about");
        };
        let told = runtime.block_on(async {
            open(&world, &Secret::new(URL)).await.unwrap();
            let told = folder.join("script.told");
            let there = told.clone();
            wait(Box::new(move || there.exists())).await;
            std::fs::read_to_string(told).unwrap()
        });
        std::fs::remove_dir_all(&folder).unwrap();
        let lines: Vec<&str> = told.lines().collect();
        let [rest @ .., group, pid] = &lines[..] else { panic!("{told}") };
        assert_eq!(rest, ["2", "--new", URL, "/", "/dev/null", "/dev/null", "/dev/null"]);
        assert_eq!(group, pid, "a process group of its own");
        let pid: i32 = pid.parse().unwrap();
        let it = rustix::process::Pid::from_raw(pid).unwrap();
        rustix::process::kill_process(it, rustix::process::Signal::TERM).unwrap();
        runtime.block_on(wait(Box::new(move || !Path::new(&format!("/proc/{pid}")).exists())));
    }
}
