// The least that any check must do: read the header, the L1 table, every L2 table and every refcount block.
#pragma once

#include <string>

namespace cowvet::bench {

// Reads the metadata of a sound image with `threads` threads of plain pread; throws where it cannot.
void read_metadata(const std::string& image, unsigned threads);

}  // namespace cowvet::bench
