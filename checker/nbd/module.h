// What the NBD module exports, and checker/device/nbd.cc looks for. The version in the name keeps a program
// from a module of another build.
#pragma once

#include <string>

#include "checker/device/device.h"

#define COWVET_NBD_ENTRY "cowvet_connect_nbd_" COWVET_VERSION

namespace cowvet {

// The caller owns the device; where it is null, `error` says why.
using NbdModuleEntry = Device* (*)(const std::string& address, std::string& error);

}  // namespace cowvet
