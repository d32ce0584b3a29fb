#include "checker/planning/first_cluster.h"

#include <algorithm>

#include "checker/analysis/extension_area.h"
#include "checker/format/header.h"

namespace cowvet {
namespace {

bool is_zero(std::byte byte) {
  return byte == std::byte{0};
}

// Names are paths or URLs: no control characters.
bool is_name_text(std::byte byte) {
  const auto value = std::to_integer<unsigned char>(byte);
  return value >= 0x20 && value != 0x7f;
}

constexpr std::uint64_t kMostBackingNameBytes = 1023;

}  // namespace

std::optional<FirstCluster> FirstCluster::load(Round& round) {
  const OverlayDevice& image = round.editor.image();
  Context apart(round.context.inputs, round.context.options, round.context.progress);
  apart.geometry = round.context.geometry;
  apart.first_cluster.resize(std::min(apart.geometry.cluster_bytes, image.size_bytes()));
  if (!image.read(0, apart.first_cluster)) return std::nullopt;
  const auto header = decode_header(apart.first_cluster);
  if (!header) return std::nullopt;
  apart.header = *header;

  FirstCluster area;
  area.header_length = extension_area_begin(apart);
  if (area.header_length >= apart.first_cluster.size()) return std::nullopt;
  area.name_usable_ = apart.header.backing_file_offset != 0 && backing_name_usable(apart);
  area.walk_ = walk_extension_area(apart);
  // A name whose place lies on sound extensions is looked for in the wrong place.
  if (area.walk_.overrun && area.name_usable_) {
    ExtensionWalk whole =
        walk_extensions(apart.first_cluster, area.header_length, apart.geometry.cluster_bytes);
    if (whole.terminated && whole.end < apart.first_cluster.size() &&
        !is_zero(apart.first_cluster[whole.end])) {
      area.walk_ = std::move(whole);
      area.name_usable_ = false;
    }
  }
  for (const Extension& extension : area.walk_.extensions)
    area.items.push_back({extension.type, {extension.data.begin(), extension.data.end()}});
  area.header_ = *header;
  area.bytes_ = std::move(apart.first_cluster);
  return area;
}

std::vector<std::byte> FirstCluster::behind_overrun() const {
  const std::uint64_t limit = name_usable_ ? header_.backing_file_offset : bytes_.size();
  const std::uint64_t begin = std::min(limit, walk_.end + sizeof(RawExtensionHead));
  return {bytes_.begin() + static_cast<std::ptrdiff_t>(begin),
          bytes_.begin() + static_cast<std::ptrdiff_t>(limit)};
}

bool FirstCluster::write(Round& round) const {
  std::vector<Extension> extensions;
  for (const Item& item : items) extensions.push_back({item.type, 0, item.data});
  std::vector<std::byte> area;
  encode_extensions(extensions, area);
  const std::uint64_t new_end = header_length + area.size();
  // Behind a broken extension anything may be its data: all of it makes room.
  const std::uint64_t limit = name_usable_ ? header_.backing_file_offset : bytes_.size();
  const std::uint64_t old_end = walk_.overrun ? limit : std::min(walk_.end, limit);
  // Where a name is that nobody can place, nothing may grow over it.
  const bool name_lost = header_.backing_file_offset != 0 && !name_usable_;
  if (new_end > bytes_.size() || (name_lost && new_end > old_end)) return false;

  std::optional<std::vector<std::byte>> name;
  if (name_usable_ && new_end > header_.backing_file_offset) {
    if (!fits_in(new_end, header_.backing_file_size, bytes_.size())) return false;
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(header_.backing_file_offset);
    name.emplace(begin, begin + header_.backing_file_size);
  }
  if (new_end < old_end) area.resize(old_end - header_length);
  if (name) area.insert(area.end(), name->begin(), name->end());
  round.editor.write(File::image, header_length, area);
  if (name) round.editor.write_number(File::image, offsetof(RawHeader, backing_file_offset), new_end);
  return true;
}

std::optional<GuestRange> FirstCluster::find_backing_name() const {
  if (!walk_.terminated) return std::nullopt;
  const auto begin =
      std::find_if_not(bytes_.begin() + static_cast<std::ptrdiff_t>(walk_.end), bytes_.end(), is_zero);
  const auto end = std::find_if(begin, bytes_.end(), is_zero);
  const auto length = static_cast<std::uint64_t>(end - begin);
  if (length == 0 || length > kMostBackingNameBytes || !std::all_of(begin, end, is_name_text) ||
      !std::all_of(end, bytes_.end(), is_zero))
    return std::nullopt;
  return GuestRange{static_cast<std::uint64_t>(begin - bytes_.begin()), length};
}

bool FirstCluster::holds_no_backing_name() const {
  return walk_.terminated && std::ranges::all_of(std::span(bytes_).subspan(walk_.end), is_zero) &&
         std::ranges::find(items, ExtensionType::backing_format, &Item::type) == items.end();
}

std::string FirstCluster::text_at(std::uint64_t offset, std::uint64_t length) const {
  const auto* text = reinterpret_cast<const char*>(bytes_.data());
  return {text + offset, length};
}

}  // namespace cowvet
