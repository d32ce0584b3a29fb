// Opens a directory below another one and nowhere else: no symbolic link is followed and ".." never leads
// out, not even when something on the way is exchanged meanwhile.
#pragma once

#include <string>
#include <vector>

#include "checker/device/descriptor.h"

namespace cowvet {

// openat2 with RESOLVE_BENEATH, RESOLVE_NO_SYMLINKS and RESOLVE_NO_MAGICLINKS, for tests to put theirs in its
// place: an O_PATH descriptor of the directory `path` below `root`, or -1 with errno set.
using OpenBeneath = int (*)(int root, const char* path);
int open_beneath(int root, const char* path);

// `components`: what stands between the slashes, "." and ".." among them. Where the kernel has no openat2 (or
// a container forbids it), each component is opened in the one before it, with the same outcome but for the
// error that a symbolic link gives. On failure errno says why: ELOOP or ENOTDIR for a link, EXDEV for a way
// out.
Descriptor open_directory_beneath(int root, const std::vector<std::string>& components,
                                  OpenBeneath kernel = open_beneath);

}  // namespace cowvet
