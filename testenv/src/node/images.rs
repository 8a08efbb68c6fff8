//! The one image that a node has before anybody brings another: Debian's static busybox, which waits. It holds a pod's
//! namespaces (what `pause` is for elsewhere), and is the tool box of tests.

use std::fs;
use std::path::Path;

use super::{Programs, ctr};
use crate::error::{Error, InFile};
use crate::image::{Image, ImageFile};
use crate::process;
use crate::scratch::Scratch;

/// Its name. `/bin/busybox` is all that is in it.
pub(crate) const TOOLS_IMAGE: &str = "localhost/testenv/busybox:1";

/// A dynamically linked program names its loader.
const LOADERS: [&[u8]; 2] = [b"/ld-linux", b"/ld-musl"];

/// Gives the image to containerd.
pub(super) async fn import(programs: &Programs, socket: &Path, scratch: &Scratch) -> Result<(), Error> {
    let busybox = fs::read(&programs.busybox).in_file(&programs.busybox)?;
    if LOADERS.iter().any(|loader| busybox.windows(loader.len()).any(|window| window == *loader)) {
        return Err(Error::NotInstalled { program: "a statically linked busybox", package: "busybox-static" });
    }
    let image = Image {
        reference: TOOLS_IMAGE.to_owned(),
        entrypoint: ["/bin/busybox", "sleep", "2147483647"].map(str::to_owned).to_vec(),
        files: vec![ImageFile { path: "/bin/busybox".to_owned(), mode: 0o755, bytes: busybox }],
        ..Image::default()
    };
    let archive = scratch.path().join("busybox.tar");
    image.write(&archive)?;
    process::run(scratch, "image-import", "importing an image into containerd", &programs.ctr, |command| {
        ctr(command, socket);
        command.args(["images", "import"]).arg(&archive);
    })
    .await
}
