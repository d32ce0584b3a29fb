#include "checker/pack/blank_names.h"

#include <map>
#include <string>
#include <vector>

#include "checker/format/bitmap.h"
#include "checker/format/snapshot.h"

namespace cowvet {
namespace {

bool is_hidden(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte >= '0' && byte <= '9') || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte >= 0x80;
}

class NameBlanker {
 public:
  explicit NameBlanker(OverlayDevice& copy) : copy_(copy) {}

  // Only where the copy has that name there: what is doubtful may be blank already.
  void blank(std::uint64_t offset, std::string_view name) {
    if (name.empty() || offset + name.size() > copy_.size_bytes()) return;
    std::string there(name.size(), '\0');
    const auto bytes = std::as_writable_bytes(std::span(there));
    if (!copy_.read(offset, bytes) || there != name) return;
    const std::string blanked = replacement(there);
    copy_.write(offset, std::as_bytes(std::span(blanked)));
  }

 private:
  // Equal names get equal replacements: the n-th distinct one is written with the n-th "number" in letters.
  std::string replacement(const std::string& name) {
    const std::size_t number = numbers_.try_emplace(name, numbers_.size()).first->second;
    std::string text = name;
    std::size_t rest = number;
    for (char& c : text) {
      if (!is_hidden(c)) continue;
      c = static_cast<char>('a' + rest % 26);
      rest /= 26;
    }
    return text;
  }

  OverlayDevice& copy_;
  std::map<std::string, std::size_t> numbers_;
};

std::string_view in_first_cluster(const Context& context, std::uint64_t offset, std::uint64_t length) {
  const auto& bytes = context.first_cluster;
  if (offset > bytes.size() || length > bytes.size() - offset) return {};
  return {reinterpret_cast<const char*>(bytes.data()) + offset, length};
}

}  // namespace

void blank_names(const Context& context, OverlayDevice& copy) {
  NameBlanker names(copy);
  const Header& header = context.header;
  if (header.backing_file_offset != 0)
    names.blank(header.backing_file_offset,
                in_first_cluster(context, header.backing_file_offset, header.backing_file_size));
  for (const Extension& extension : context.extensions.extensions)
    if (extension.type == ExtensionType::data_file_name)
      names.blank(extension.offset + sizeof(RawExtensionHead), extension.text());
  for (const SnapshotRecord& record : context.snapshots) {
    const Snapshot& snapshot = record.snapshot;
    names.blank(
        record.entry_offset + sizeof(RawSnapshotHead) + snapshot.extra_data.size() + snapshot.id.size(),
        snapshot.name);
  }
  for (const BitmapRecord& record : context.bitmaps)
    names.blank(record.entry_offset + sizeof(RawBitmapHead) + record.bitmap.extra_data.size(),
                record.bitmap.name);
}

}  // namespace cowvet
