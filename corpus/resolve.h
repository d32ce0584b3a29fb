// Places to offsets, by what the builder laid out.
#pragma once

#include <cstdint>
#include <expected>
#include <string>

#include "corpus/layout.h"
#include "corpus/place.h"

namespace cowvet::corpus {

// `file_bytes`: the length of the file now. The error is a message.
std::expected<std::uint64_t, std::string> resolve(const Expression& expression, const Layout& layout,
                                                  std::uint64_t file_bytes);

}  // namespace cowvet::corpus
