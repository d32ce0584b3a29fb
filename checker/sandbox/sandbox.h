// What a program that reads images of strangers can do without, given up before the first byte of an image
// is interpreted: Landlock leaves it the named files, to read; seccomp leaves it the system calls of reading,
// computing and printing. No file can then be opened for writing, no program started, no connection made, and
// no other process touched, whatever an image makes of this one.
#pragma once

#include <string>
#include <vector>

namespace cowvet {

struct SandboxNeeds {
  std::vector<std::string> files;        // may be read
  std::vector<std::string> directories;  // may be read, with all below them
  // An image is on a server: then any file may be read, and libraries be loaded, because to find the server
  // and to trust it takes many.
  bool network = false;
};

// For the whole process, and for good; only the caller's thread may run. Kernels and containers offer both
// parts, one or none: the result says what is in force, such as "Landlock (version 3), seccomp".
std::string enter_sandbox(const SandboxNeeds& needs);

// What reading the image at `path` needs: it, and the directory where its data file may lie.
void need_image(SandboxNeeds& needs, const std::string& path);

}  // namespace cowvet
