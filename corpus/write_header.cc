#include <algorithm>

#include "checker/format/extensions.h"
#include "corpus/draft.h"

namespace cowvet::corpus {
namespace {

std::uint64_t incompatible_features(const Recipe& recipe) {
  const ImageOptions& image = recipe.image;
  return (image.dirty ? kIncompatibleDirty : 0) | (image.corrupt ? kIncompatibleCorrupt : 0) |
         (recipe.data_file ? kIncompatibleDataFile : 0) |
         (image.compression != CompressionType::deflate ? kIncompatibleCompression : 0) |
         (image.extended_l2 ? kIncompatibleExtendedL2 : 0);
}

std::uint32_t header_length(const ImageOptions& image) {
  if (image.version == 2) return kHeaderV2Bytes;
  return image.header_length.value_or(kHeaderKnownBytes);
}

Header describe(const Draft& draft) {
  const Recipe& recipe = draft.recipe;
  const Layout& layout = draft.layout;
  return {.version = recipe.image.version,
          .backing_file_offset = 0,  // set with the extensions
          .backing_file_size = 0,
          .cluster_bits = recipe.image.cluster_bits,
          .size = draft.disk_bytes,
          .crypt_method = static_cast<std::uint32_t>(recipe.image.crypt),
          .l1_size = static_cast<std::uint32_t>(layout.l1.l2_offsets.size()),
          .l1_table_offset = layout.l1.offset,
          .refcount_table_offset = layout.clusters.refcount_table_offset(),
          .refcount_table_clusters = static_cast<std::uint32_t>(layout.clusters.refcount_table_clusters()),
          .nb_snapshots = static_cast<std::uint32_t>(layout.snapshots.size()),
          .snapshots_offset = layout.snapshot_table_offset,
          .incompatible_features = incompatible_features(recipe),
          .compatible_features = recipe.image.lazy_refcounts ? kCompatibleLazyRefcounts : 0,
          .autoclear_features = (layout.bitmaps.empty() ? 0 : kAutoclearBitmaps) |
                                (recipe.data_file && recipe.data_file->raw ? kAutoclearRawData : 0),
          .refcount_order = recipe.image.refcount_order,
          .header_length = header_length(recipe.image),
          .compression_type = static_cast<std::uint8_t>(recipe.image.compression)};
}

template <typename T>
std::string bytes_of(const T& raw) {
  return {reinterpret_cast<const char*>(&raw), sizeof raw};
}

// The features that the specification defines.
std::string feature_names() {
  struct Row {
    std::uint8_t type, bit;
    std::string_view name;
  };
  constexpr Row kRows[] = {
      {0, 0, "dirty bit"},        {0, 1, "corrupt bit"},         {0, 2, "external data file"},
      {0, 3, "compression type"}, {0, 4, "extended L2 entries"}, {1, 0, "lazy refcounts"},
      {2, 0, "bitmaps"},          {2, 1, "raw external data"}};
  std::string table;
  for (const Row& row : kRows) {
    RawFeatureName entry{row.type, row.bit, {}};
    std::ranges::copy(row.name, entry.name);
    table += bytes_of(entry);
  }
  return table;
}

std::string bitmaps_extension(const Layout& layout) {
  RawBitmapsExtension raw;
  raw.nb_bitmaps = static_cast<std::uint32_t>(layout.bitmaps.size());
  raw.bitmap_directory_size = layout.bitmap_directory_bytes;
  raw.bitmap_directory_offset = layout.bitmap_directory_offset;
  return bytes_of(raw);
}

std::string luks_pointer(const Layout& layout) {
  RawLuksPointer raw;
  raw.offset = layout.luks_offset;
  raw.length = layout.luks_bytes;
  return bytes_of(raw);
}

std::vector<ExtensionLayout> list_extensions(const Draft& draft) {
  const Recipe& recipe = draft.recipe;
  std::vector<ExtensionLayout> list;
  const auto add = [&list](ExtensionType type, std::string data) {
    list.push_back({static_cast<std::uint32_t>(type), std::move(data)});
  };
  if (recipe.backing && recipe.backing->format) add(ExtensionType::backing_format, *recipe.backing->format);
  if (recipe.data_file && recipe.data_file->named)
    add(ExtensionType::data_file_name, recipe.data_file_name());
  if (recipe.luks) add(ExtensionType::luks, luks_pointer(draft.layout));
  if (recipe.image.feature_names) add(ExtensionType::feature_names, feature_names());
  if (!draft.layout.bitmaps.empty()) add(ExtensionType::bitmaps, bitmaps_extension(draft.layout));
  for (const ExtraExtension& extra : recipe.extensions) list.push_back({extra.type, extra.data});
  if (recipe.image.end_marker) add(ExtensionType::end, "");
  return list;
}

}  // namespace

void write_header(Draft& draft) {
  draft.layout.header = describe(draft);
  draft.layout.extensions = list_extensions(draft);
  if (draft.recipe.backing) draft.layout.backing_name = draft.recipe.backing->name;
  std::vector<std::byte> first(std::max<std::uint64_t>(kHeaderKnownBytes, draft.layout.header.header_length));
  encode_header(draft.layout.header, first);
  first.resize(draft.layout.header.header_length);
  put_bytes(draft.image, 0, first);
  write_extensions(draft);
}

void write_extensions(Draft& draft) {
  Layout& layout = draft.layout;
  std::vector<std::byte> area;
  const std::uint64_t begin = layout.header.header_length;
  const auto append = [&area](std::span<const std::byte> bytes) {
    area.insert(area.end(), bytes.begin(), bytes.end());
  };
  for (ExtensionLayout& extension : layout.extensions) {
    extension.offset = begin + area.size();
    RawExtensionHead head;
    head.type = extension.type;
    head.length_bytes = static_cast<std::uint32_t>(extension.data.size());
    append(std::as_bytes(std::span(&head, 1)));
    append(std::as_bytes(std::span(extension.data)));
    area.resize(divide_up(area.size(), 8) * 8);
  }
  layout.backing_name_offset = layout.backing_name.empty() ? 0 : begin + area.size();
  append(std::as_bytes(std::span(layout.backing_name)));
  if (begin + area.size() > layout.shape.cluster_bytes)
    return draft.fail("header, extensions and backing file name do not fit the first cluster");
  area.resize(layout.shape.cluster_bytes - begin);
  put_bytes(draft.image, begin, area);
  layout.header.backing_file_offset = layout.backing_name_offset;
  layout.header.backing_file_size = static_cast<std::uint32_t>(layout.backing_name.size());
  RawHeader raw;
  raw.backing_file_offset = layout.header.backing_file_offset;
  raw.backing_file_size = layout.header.backing_file_size;
  const auto bytes = std::as_bytes(std::span(&raw, 1));
  constexpr std::size_t kAt = offsetof(RawHeader, backing_file_offset);
  put_bytes(draft.image, kAt, bytes.subspan(kAt, offsetof(RawHeader, cluster_bits) - kAt));
}

}  // namespace cowvet::corpus
