#include "tests/pack/support.h"

#include <algorithm>
#include <sstream>

namespace cowvet {

std::string pack(const BlankImage& blank) {
  std::ostringstream out;
  PackWriter writer(out);
  writer.add(PackedFile::image, blank.image->content);
  if (blank.data_file) writer.add(PackedFile::data_file, blank.data_file->content);
  if (blank.data_file_is_image) writer.add_image_as_data_file();
  writer.finish();
  return out.str();
}

std::expected<Unpacked, std::string> unpack(const std::string& text, std::uint64_t most_bytes) {
  using Done = std::expected<void, std::string>;
  Unpacked unpacked;
  std::vector<std::byte>* file = nullptr;
  const PackSink sink{.begin = [&](PackedFile kind, std::uint64_t size) -> Done {
                        if (kind == PackedFile::image_as_data_file) return {};
                        if (size > std::uint64_t{1} << 32) return std::unexpected("too long for memory");
                        file = kind == PackedFile::image ? &unpacked.image : &unpacked.data_file.emplace();
                        file->resize(size);
                        return {};
                      },
                      .write = [&](std::uint64_t offset, std::span<const std::byte> bytes) -> Done {
                        if (offset + bytes.size() > file->size()) return std::unexpected("outside");
                        std::ranges::copy(bytes, file->begin() + static_cast<std::ptrdiff_t>(offset));
                        return {};
                      }};
  std::istringstream in(text);
  if (const auto done = read_pack(in, most_bytes, sink); !done) return std::unexpected(done.error());
  return unpacked;
}

}  // namespace cowvet
