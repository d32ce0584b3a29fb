#include "corpus/resolve.h"

#include "corpus/parse_recipe.h"

namespace cowvet::corpus {
namespace {

using Result = std::expected<std::uint64_t, std::string>;

Result missing(const std::string& what) {
  return std::unexpected("the image has no " + what);
}

class Resolver {
 public:
  Resolver(const NamedPlace& place, const Layout& layout) : place_(place), layout_(layout) {}

  Result mapping() const {
    const L1Layout* l1 = layout_.find_l1(place_.snapshot);
    if (!l1) return missing("snapshot " + place_.snapshot);
    if (place_.kind == PlaceKind::l1_table) return l1->offset;
    const std::uint64_t l1_index = place_.number / layout_.shape.window_bytes;
    if (l1_index >= l1->l2_offsets.size())
      return missing("L1 entry for guest offset " + std::to_string(place_.number));
    if (place_.kind == PlaceKind::l1_entry) return l1->offset + l1_index * 8;
    const std::uint64_t l2 = layout_.l2_offset(*l1, place_.number);
    if (l2 == 0) return missing("L2 table for guest offset " + std::to_string(place_.number));
    if (place_.kind == PlaceKind::l2_table) return l2;
    const std::uint64_t index = place_.number % layout_.shape.window_bytes / layout_.shape.cluster_bytes;
    if (place_.kind == PlaceKind::l2_entry) return l2 + index * layout_.shape.l2_entry_bytes;
    return guest_cluster(*l1);
  }

  Result snapshot() const {
    const SnapshotLayout* snapshot = layout_.find_snapshot(place_.name);
    return snapshot ? Result(snapshot->entry_offset) : missing("snapshot " + place_.name);
  }

  Result bitmap() const {
    const BitmapLayout* bitmap = layout_.find_bitmap(place_.name);
    if (!bitmap) return missing("bitmap " + place_.name);
    if (place_.kind == PlaceKind::bitmap_entry) return bitmap->entry_offset;
    if (place_.kind == PlaceKind::bitmap_table) return bitmap->entry.table_offset;
    if (place_.number >= bitmap->table.size())
      return missing("such entry in the table of bitmap " + place_.name);
    if (place_.kind == PlaceKind::bitmap_table_entry) return bitmap->entry.table_offset + place_.number * 8;
    const std::uint64_t data = BitmapTableEntry{bitmap->table[place_.number]}.host_offset();
    return data != 0 ? Result(data) : missing("data cluster there for bitmap " + place_.name);
  }

  Result extension() const {
    const auto type = parse_extension_type(place_.name);
    const ExtensionLayout* extension = type ? layout_.find_extension(*type) : nullptr;
    return extension ? Result(extension->offset) : missing("extension " + place_.name);
  }

  Result refcount_block() const {
    const auto& blocks = layout_.clusters.refcount_blocks();
    if (place_.number >= blocks.size() || blocks[place_.number] == 0)
      return missing("refcount block " + std::to_string(place_.number));
    return blocks[place_.number];
  }

 private:
  Result guest_cluster(const L1Layout& l1) const {
    const MappedCluster* cluster = layout_.find_cluster(l1, place_.number);
    if (!cluster || cluster->state == MappedCluster::State::unallocated)
      return missing("host cluster for guest offset " + std::to_string(place_.number));
    if (cluster->state == MappedCluster::State::compressed) return cluster->descriptor.offset;
    return cluster->host_offset + place_.number % layout_.shape.cluster_bytes;
  }

  const NamedPlace& place_;
  const Layout& layout_;
};

Result there_or(std::uint64_t offset, const char* what) {
  return offset != 0 ? Result(offset) : missing(what);
}

Result resolve_place(const NamedPlace& place, const Layout& layout, std::uint64_t file_bytes) {
  const Resolver resolver(place, layout);
  const Shape& shape = layout.shape;
  switch (place.kind) {
    case PlaceKind::header:
      return 0;
    case PlaceKind::extension:
      return resolver.extension();
    case PlaceKind::backing_name:
      return there_or(layout.backing_name_offset, "backing file name");
    case PlaceKind::l1_table:
    case PlaceKind::l1_entry:
    case PlaceKind::l2_table:
    case PlaceKind::l2_entry:
    case PlaceKind::guest_cluster:
      return resolver.mapping();
    case PlaceKind::refcount_table:
      return layout.clusters.refcount_table_offset();
    case PlaceKind::refcount_table_entry:
      return layout.clusters.refcount_table_offset() + place.number * 8;
    case PlaceKind::refcount_block:
      return resolver.refcount_block();
    case PlaceKind::snapshot_table:
      return there_or(layout.snapshot_table_offset, "snapshot table");
    case PlaceKind::snapshot_entry:
      return resolver.snapshot();
    case PlaceKind::bitmap_directory:
      return there_or(layout.bitmap_directory_offset, "bitmap directory");
    case PlaceKind::bitmap_entry:
    case PlaceKind::bitmap_table:
    case PlaceKind::bitmap_table_entry:
    case PlaceKind::bitmap_data:
      return resolver.bitmap();
    case PlaceKind::luks:
      return there_or(layout.luks_offset, "LUKS header");
    case PlaceKind::leak:
      return place.number < layout.leaks.size() ? Result(layout.leaks[place.number]) : missing("such leak");
    case PlaceKind::cluster:
      return place.number << shape.cluster_bits;
    case PlaceKind::next_cluster:
      return shape.round_up(file_bytes);
    case PlaceKind::file_end:
      return file_bytes;
    case PlaceKind::virtual_size:
      return layout.header.size;
    case PlaceKind::cluster_size:
      return shape.cluster_bytes;
  }
  return missing("such place");
}

}  // namespace

std::expected<std::uint64_t, std::string> resolve(const Expression& expression, const Layout& layout,
                                                  std::uint64_t file_bytes) {
  std::uint64_t sum = 0;
  for (const Term& term : expression.terms) {
    Result value = term.place ? resolve_place(*term.place, layout, file_bytes) : Result(term.number);
    if (!value) return value;
    sum += term.negative ? -*value : *value;
  }
  return sum;
}

}  // namespace cowvet::corpus
