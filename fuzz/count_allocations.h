// Counts what is allocated, by any library and in any thread: by replacing malloc, or by the hooks of a
// sanitizer that has replaced it already.
#pragma once

#include <cstddef>

namespace cowvet::fuzz {

// From now on, counts how much more is allocated at once than is now.
void begin_counting();
std::size_t most_bytes_counted();

// Built with AddressSanitizer or ThreadSanitizer.
bool is_sanitized();

}  // namespace cowvet::fuzz
