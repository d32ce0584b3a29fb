#include "corpus/list_fields.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <tuple>

#include "checker/format/extensions.h"
#include "corpus/locate.h"

namespace cowvet::corpus {
namespace {

struct ExtensionRow {
  ExtensionType type;
  std::string_view name;
  std::string_view fields;  // of its data, by name
};

constexpr ExtensionRow kExtensions[] = {
    {ExtensionType::end, "end", ""},
    {ExtensionType::backing_format, "backing-format", ""},
    {ExtensionType::feature_names, "feature-names", ""},
    {ExtensionType::bitmaps, "bitmaps", "nb_bitmaps reserved bitmap_directory_size bitmap_directory_offset"},
    {ExtensionType::luks, "luks", "offset length"},
    {ExtensionType::data_file_name, "data-file-name", ""},
};

bool has_word(std::string_view words, std::string_view word) {
  return fmt::format(" {} ", words).find(fmt::format(" {} ", word)) != std::string::npos;
}

class Lister {
 public:
  explicit Lister(const Layout& layout) : layout_(layout) {}

  std::vector<ListedField> run() {
    add("header", "header", {.target = Target::header},
        [this](const Field& field) { return field.offset + field.width <= layout_.header.header_length; });
    for (const ExtensionLayout& extension : layout_.extensions) add_extension(extension);
    add_bytes("backing-name", layout_.backing_name_offset, layout_.backing_name.size());
    add_disk(layout_.l1, "");
    for (const SnapshotLayout& snapshot : layout_.snapshots) add_snapshot(snapshot);
    for (const BitmapLayout& bitmap : layout_.bitmaps) add_bitmap(bitmap);
    add_refcounts();
    if (layout_.luks_offset != 0) add_luks();
    return std::move(fields_);
  }

 private:
  template <typename Filter>
  void add(std::string_view kind, const std::string& structure, const SetFields& set, Filter is_there) {
    const auto place = locate_structure(layout_, set);
    if (!place) return;
    for (Field field : fields_of(set.target, layout_.shape.cluster_bits)) {
      const auto at = is_there(field) ? locate_field(layout_, set, *place, field)
                                      : std::unexpected<std::string>("not there");
      if (!at || at->length == 0) continue;
      field.offset = at->offset - place->offset;
      field.width = at->length;
      fields_.push_back({kind, structure, place->offset, field});
    }
  }
  void add(std::string_view kind, const std::string& structure, const SetFields& set) {
    add(kind, structure, set, [](const Field&) { return true; });
  }
  void add_bytes(std::string_view kind, std::uint64_t offset, std::uint64_t length) {
    if (length != 0)
      fields_.push_back({kind, std::string(kind), offset, {"bytes", 0, length, Field::Type::bytes}});
  }

  void add_extension(const ExtensionLayout& extension) {
    const auto row = std::ranges::find(kExtensions, ExtensionType{extension.type}, &ExtensionRow::type);
    if (row == std::end(kExtensions)) return;
    const std::string name(row->name);
    add("extension", "extension " + name, {.target = Target::extension, .name = name},
        [row](const Field& field) {
          return field.name == "type" || field.name == "data_length" || has_word(row->fields, field.name);
        });
    if (row->type == ExtensionType::feature_names)
      for (std::uint64_t i = 0; i < extension.data.size() / sizeof(RawFeatureName); ++i)
        add("feature-name", fmt::format("feature-name {}", i), {.target = Target::feature_name, .index = i});
    else if (row->fields.empty())
      add_bytes(row->name, extension.offset + sizeof(RawExtensionHead), extension.data.size());
  }

  void add_disk(const L1Layout& l1, const std::string& snapshot) {
    const std::string suffix = snapshot.empty() ? "" : " snapshot=" + snapshot;
    const std::string_view kind = snapshot.empty() ? "l1" : "snapshot-l1";
    bool empty_seen = false;
    for (std::uint64_t index = 0; index < l1.l2_offsets.size(); ++index) {
      const bool is_empty = l1.l2_offsets[index] == 0;
      if (is_empty && std::exchange(empty_seen, true)) continue;
      add(kind, fmt::format("l1 index={}{}", index, suffix),
          {.target = Target::l1, .index = index, .snapshot = snapshot});
      if (!is_empty && tables_seen_.insert(l1.l2_offsets[index]).second)
        add_l2_table(layout_.l2_tables.at(l1.l2_offsets[index]), snapshot, suffix);
    }
  }

  void add_l2_table(const L2Table& table, const std::string& snapshot, const std::string& suffix) {
    using State = MappedCluster::State;
    std::set<std::tuple<State, bool, bool, std::uint32_t, std::uint32_t>> seen;
    const std::uint64_t entries = std::min(
        layout_.shape.l2_entries, layout_.shape.clusters_for(layout_.header.size - table.guest_offset));
    for (std::uint64_t index = 0; index < entries; ++index) {
      const auto found = table.entries.find(index);
      const MappedCluster entry = found == table.entries.end() ? MappedCluster{} : found->second;
      if (!seen.insert({entry.state, entry.zero, entry.host_offset != 0, entry.subclusters_allocated,
                        entry.subclusters_zero})
               .second)
        continue;
      const bool compressed = entry.state == State::compressed;
      const std::uint64_t guest = table.guest_offset + index * layout_.shape.cluster_bytes;
      add(compressed ? "l2-compressed" : "l2", fmt::format("l2 guest={}{}", guest, suffix),
          {.target = Target::l2, .guest = guest, .snapshot = snapshot}, [compressed](const Field& field) {
            if (has_word("compressed_offset additional_sectors", field.name)) return compressed;
            return !compressed || !has_word("offset zero reserved", field.name);
          });
    }
  }

  void add_snapshot(const SnapshotLayout& snapshot) {
    const std::string& id = snapshot.entry.id;
    add("snapshot", "snapshot " + id, {.target = Target::snapshot, .name = id});
    add_disk(snapshot.l1, id);
  }

  void add_bitmap(const BitmapLayout& bitmap) {
    const std::string& name = bitmap.entry.name;
    add("bitmap", "bitmap " + name, {.target = Target::bitmap, .name = name});
    for (std::uint64_t i = 0; i < bitmap.table.size(); ++i)
      add("bitmap-table", fmt::format("bitmap-table {} index={}", name, i),
          {.target = Target::bitmap_table, .name = name, .index = i});
  }

  void add_refcounts() {
    const auto& clusters = layout_.clusters.clusters();
    std::set<std::pair<std::string, std::uint64_t>> seen;
    for (std::uint64_t i = 0; i <= clusters.size(); ++i) {
      const HostClusterUse use = i < clusters.size() ? clusters[i] : HostClusterUse{"behind the file"};
      const auto refcount = locate_refcount(layout_, i);
      if (!refcount || !seen.insert({use.use, use.references}).second) continue;
      fields_.push_back(
          {"refcount", fmt::format("refcount of=cluster:{}", i), refcount->offset, refcount->field});
    }
    for (std::uint64_t i = 0; i <= layout_.clusters.refcount_blocks().size(); ++i)
      add("refcount-table", fmt::format("refcount-table index={}", i),
          {.target = Target::refcount_table, .index = i});
  }

  void add_luks() {
    add("luks", "luks", {.target = Target::luks});
    for (std::uint64_t slot = 0; slot < 2; ++slot)
      add("luks-slot", fmt::format("luks-slot {}", slot), {.target = Target::luks_slot, .index = slot});
  }

  const Layout& layout_;
  std::vector<ListedField> fields_;
  std::set<std::uint64_t> tables_seen_;
};

}  // namespace

std::vector<ListedField> list_fields(const BuiltImage& built) {
  return Lister(built.layout).run();
}

}  // namespace cowvet::corpus
