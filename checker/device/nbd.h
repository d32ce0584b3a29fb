// Images on an NBD server: nbd://HOST/EXPORT, nbd+unix:///EXPORT?socket=PATH, and nbds for TLS. The client is
// an optional component, a module that is loaded only when such an address is opened.
#pragma once

#include <expected>
#include <memory>
#include <string>
#include <string_view>

#include "checker/device/device.h"

namespace cowvet {

// Whether `path` is an address and not the name of a file.
bool is_nbd_address(std::string_view path);

// Connects. The error is a sentence that names the address: the module is not installed, the server is not
// there or refuses.
std::expected<std::unique_ptr<Device>, std::string> open_nbd(const std::string& address);

}  // namespace cowvet
