// The rules by which files that an image names are opened (see companion.h), and the judgement of such names.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "checker/device/companion.h"
#include "checker/device/locks.h"

namespace cowvet {

enum class NameKind : std::uint8_t {
  plain,        // a file in or below the image's directory, as far as the name says
  empty,        //
  unprintable,  // holds NUL or other control characters
  protocol,     // QEMU would not take it for a path: "nbd:...", "json:...", "file:..."
  escapes,      // ".." leads out of the image's directory
  absolute,     //
};

NameKind judge_name(std::string_view name);

// What is unusual about such a name, to follow "the name"; empty for a plain one.
std::string_view describe_name(NameKind kind);

struct FollowRules {
  std::string image_path;                    // as the user gave it
  std::optional<std::string> named_by_user;  // opened as it is, whatever the image says
  std::vector<std::string> follow_directories;
  bool own_directory = true;      // names may also stay inside the image's own directory
  LockUse locks = LockUse::none;  // by kDataFileCheckLocks
};

OpenCompanion make_opener(FollowRules rules);

}  // namespace cowvet
