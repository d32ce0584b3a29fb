#include "checker/format/extensions.h"

#include <algorithm>
#include <cassert>
#include <cstring>

namespace cowvet {
namespace {

template <typename Raw>
std::optional<Raw> take_whole(std::span<const std::byte> data) {
  if (data.size() != sizeof(Raw)) return std::nullopt;
  Raw raw;
  std::memcpy(&raw, data.data(), sizeof raw);
  return raw;
}

template <typename Raw>
void append(const Raw& raw, std::vector<std::byte>& out) {
  out.resize(out.size() + sizeof raw);
  std::memcpy(out.data() + out.size() - sizeof raw, &raw, sizeof raw);
}

}  // namespace

ExtensionWalk walk_extensions(std::span<const std::byte> first_cluster, std::uint64_t begin,
                              std::uint64_t limit) {
  ExtensionWalk walk{.extensions = {}, .end = begin};
  limit = std::min<std::uint64_t>(limit, first_cluster.size());
  while (walk.end <= limit && limit - walk.end >= sizeof(RawExtensionHead)) {
    RawExtensionHead head;
    std::memcpy(&head, first_cluster.data() + walk.end, sizeof head);
    const auto type = static_cast<ExtensionType>(std::uint32_t{head.type});
    const std::uint64_t data_at = walk.end + sizeof head;
    if (head.length_bytes > limit - data_at) {
      walk.overrun = true;
      walk.overrun_type = head.type;
      walk.overrun_length = head.length_bytes;
      return walk;
    }
    if (type == ExtensionType::end) {
      walk.end = data_at;
      walk.terminated = true;
      return walk;
    }
    walk.extensions.push_back({type, walk.end, first_cluster.subspan(data_at, head.length_bytes)});
    walk.end = data_at + (std::uint64_t{head.length_bytes} + 7) / 8 * 8;
  }
  return walk;
}

void encode_extensions(std::span<const Extension> extensions, std::vector<std::byte>& out) {
  for (const Extension& extension : extensions) {
    append(RawExtensionHead{.type = static_cast<std::uint32_t>(extension.type),
                            .length_bytes = static_cast<std::uint32_t>(extension.data.size())},
           out);
    out.insert(out.end(), extension.data.begin(), extension.data.end());
    out.resize(out.size() + (8 - extension.data.size() % 8) % 8);
  }
  append(RawExtensionHead{}, out);
}

std::vector<FeatureName> decode_feature_names(std::span<const std::byte> data) {
  std::vector<FeatureName> names;
  for (; data.size() >= sizeof(RawFeatureName); data = data.subspan(sizeof(RawFeatureName))) {
    RawFeatureName raw;
    std::memcpy(&raw, data.data(), sizeof raw);
    names.push_back({raw.type, raw.bit, std::string(raw.name, strnlen(raw.name, sizeof raw.name))});
  }
  return names;
}

std::vector<std::byte> encode_feature_names(std::span<const FeatureName> names) {
  std::vector<std::byte> out;
  for (const FeatureName& name : names) {
    RawFeatureName raw{.type = name.type, .bit = name.bit, .name = {}};
    assert(name.name.size() <= sizeof raw.name);
    std::ranges::copy(name.name, raw.name);
    append(raw, out);
  }
  return out;
}

std::optional<BitmapsExtension> decode_bitmaps_extension(std::span<const std::byte> data) {
  return take_whole<RawBitmapsExtension>(data).transform([](const RawBitmapsExtension& raw) {
    return BitmapsExtension{.nb_bitmaps = raw.nb_bitmaps,
                            .reserved = raw.reserved,
                            .directory_size = raw.bitmap_directory_size,
                            .directory_offset = raw.bitmap_directory_offset};
  });
}

std::vector<std::byte> encode_bitmaps_extension(const BitmapsExtension& extension) {
  std::vector<std::byte> out;
  append(RawBitmapsExtension{.nb_bitmaps = extension.nb_bitmaps,
                             .reserved = extension.reserved,
                             .bitmap_directory_size = extension.directory_size,
                             .bitmap_directory_offset = extension.directory_offset},
         out);
  return out;
}

std::optional<LuksPointer> decode_luks_pointer(std::span<const std::byte> data) {
  return take_whole<RawLuksPointer>(data).transform(
      [](const RawLuksPointer& raw) { return LuksPointer{.offset = raw.offset, .length = raw.length}; });
}

std::vector<std::byte> encode_luks_pointer(const LuksPointer& pointer) {
  std::vector<std::byte> out;
  append(RawLuksPointer{.offset = pointer.offset, .length = pointer.length}, out);
  return out;
}

}  // namespace cowvet
