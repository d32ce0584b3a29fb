// Which files may be opened, and what for: the kernel's Landlock.
#pragma once

#include <expected>
#include <string>

#include "checker/sandbox/sandbox.h"

namespace cowvet {

// What is in force from now on, or why nothing is.
std::expected<std::string, std::string> enter_landlock(const SandboxNeeds& needs);

}  // namespace cowvet
