// Files that an image names: its data file and its backing file. Nothing named by an image is opened unless
// it is a plain name that stays inside the image's directory, or the user named it (`--data-file`, or
// `--follow DIRECTORY` for names that stay below it). Symbolic links and anything but regular files and
// block devices are not followed.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "checker/device/device.h"

namespace cowvet {

struct Companion {
  enum class State : std::uint8_t {
    open,
    missing,       // there is no such file, or the system refuses to open it: `why`
    not_followed,  // it may be there; the rules above forbid to look: `why`
  };
  State state = State::not_followed;
  std::unique_ptr<Device> device;  // open only
  std::string path;                // what was tried, or would have been
  std::string why;
  std::string remark;  // what the user should know about a file that is open; may be empty
  // Of a file that was found but not opened, where it is known: enough to tell that it is the image itself.
  std::optional<FileIdentity> identity;
};

// Opens what an image calls `name`; an empty name (an image may name no data file) leaves only the user's.
using OpenCompanion = std::function<Companion(const std::string& name)>;

}  // namespace cowvet
