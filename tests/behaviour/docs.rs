//! Every manifest in the documentation is one that the API server takes.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use std::io::Write as _;

use crate::stage::Stage;

fn manifests(page: &str) -> Vec<String> {
    page.split("```yaml\n").skip(1).map(|rest| rest.split("```").next().unwrap_or_default().to_owned()).collect()
}

#[tokio::test]
async fn every_snippet_is_accepted_by_the_api_server() {
    let stage = Stage::set("docs").await;
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let mut count = 0;
    for entry in fs::read_dir(folder)
        .unwrap()
        .map(Result::unwrap)
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "md"))
    {
        for manifest in manifests(&fs::read_to_string(entry.path()).unwrap()) {
            count += 1;
            let mut kubectl = stage.world.kubectl().unwrap();
            kubectl.args(["apply", "--dry-run=server", "--validate=strict", "-n", &stage.namespace, "-f", "-"]);
            let mut kubectl = kubectl.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
            kubectl.stdin.take().unwrap().write_all(manifest.as_bytes()).unwrap();
            let output = kubectl.wait_with_output().unwrap();
            assert!(output.status.success(), "{}: {}\n{manifest}", entry.path().display(), String::from_utf8_lossy(&output.stderr));
        }
    }
    assert!(count > 10, "the documentation has {count} manifests: has it moved?");
}
