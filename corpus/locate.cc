#include "corpus/locate.h"

#include "checker/format/extensions.h"
#include "checker/format/luks.h"
#include "corpus/parse_recipe.h"
#include "corpus/resolve.h"

namespace cowvet::corpus {
namespace {

using Located = std::expected<Stretch, std::string>;

class Locator {
 public:
  Locator(const Layout& layout, const SetFields& set) : layout_(layout), set_(set) {}

  Located run() const {
    const std::uint64_t index = set_.index.value_or(0);
    switch (set_.target) {
      case Target::header:
        return Stretch{0, sizeof(RawHeader)};
      case Target::extension:
        return place(PlaceKind::extension, 0, extension_bytes());
      case Target::feature_name:
        return part(place(PlaceKind::extension, 0, 0, "feature-names"),
                    sizeof(RawExtensionHead) + index * sizeof(RawFeatureName), sizeof(RawFeatureName));
      case Target::l1:
        return l1_entry();
      case Target::l2:
        return place(PlaceKind::l2_entry, *set_.guest, layout_.shape.l2_entry_bytes);
      case Target::refcount_table:
        return place(PlaceKind::refcount_table_entry, index, 8);
      case Target::snapshot:
        return snapshot();
      case Target::bitmap:
        return place(PlaceKind::bitmap_entry, 0, sizeof(RawBitmapHead));
      case Target::bitmap_table:
        return place(PlaceKind::bitmap_table_entry, index, 8);
      case Target::luks:
        return place(PlaceKind::luks, 0, sizeof(RawLuksHeader));
      case Target::luks_slot:
        return luks_slot(index);
      case Target::refcount:
        break;
    }
    return std::unexpected("a refcount is no structure");
  }

 private:
  Located place(PlaceKind kind, std::uint64_t number, std::uint64_t length) const {
    return place(kind, number, length, set_.name);
  }
  Located place(PlaceKind kind, std::uint64_t number, std::uint64_t length, const std::string& name) const {
    const Expression expression{{}, {{.place = NamedPlace{kind, number, name, set_.snapshot}}}};
    const auto offset = resolve(expression, layout_, 0);
    if (!offset) return std::unexpected(offset.error());
    return Stretch{*offset, length};
  }
  static Located part(Located whole, std::uint64_t at, std::uint64_t length) {
    if (whole) *whole = {whole->offset + at, length};
    return whole;
  }

  std::uint64_t extension_bytes() const {
    const ExtensionLayout* found = layout_.find_extension(parse_extension_type(set_.name).value_or(0));
    return sizeof(RawExtensionHead) + (found ? found->data.size() : 0);
  }

  Located l1_entry() const {
    if (set_.guest) return place(PlaceKind::l1_entry, *set_.guest, 8);
    return part(place(PlaceKind::l1_table, 0, 8), *set_.index * 8, 8);
  }

  Located snapshot() const {
    const SnapshotLayout* found = layout_.find_snapshot(set_.name);
    if (!found) return std::unexpected("the image has no snapshot " + set_.name);
    return Stretch{found->entry_offset, sizeof(RawSnapshotHead) + found->entry.extra_data.size()};
  }

  Located luks_slot(std::uint64_t index) const {
    if (index >= kLuksKeySlots) return std::unexpected("there are 8 key slots, from 0");
    return part(place(PlaceKind::luks, 0, 0), offsetof(RawLuksHeader, slots) + index * sizeof(RawLuksKeySlot),
                sizeof(RawLuksKeySlot));
  }

  const Layout& layout_;
  const SetFields& set_;
};

// Fields whose place depends on the lengths of others.
std::optional<Stretch> variable_field(const Layout& layout, const SetFields& set, std::string_view field,
                                      std::uint64_t entry) {
  if (set.target == Target::snapshot) {
    const Snapshot& found = layout.find_snapshot(set.name)->entry;
    const std::uint64_t id = entry + sizeof(RawSnapshotHead) + found.extra_data.size();
    if (field == "id") return Stretch{id, found.id.size()};
    if (field == "name") return Stretch{id + found.id.size(), found.name.size()};
  }
  if (set.target == Target::bitmap) {
    const Bitmap& found = layout.find_bitmap(set.name)->entry;
    const std::uint64_t name = entry + sizeof(RawBitmapHead) + found.extra_data.size();
    const std::uint64_t end = name + found.name.size();
    if (field == "name") return Stretch{name, found.name.size()};
    if (field == "padding") return Stretch{end, (8 - end % 8) % 8};
  }
  return std::nullopt;
}

}  // namespace

std::expected<Stretch, std::string> locate_structure(const Layout& layout, const SetFields& set) {
  return Locator(layout, set).run();
}

std::expected<Stretch, std::string> locate_field(const Layout& layout, const SetFields& set,
                                                 const Stretch& structure, const Field& field) {
  if (const auto at = variable_field(layout, set, field.name, structure.offset)) return *at;
  if (field.offset + field.width > structure.length)
    return std::unexpected("the structure is too short to have the field " + std::string(field.name));
  return Stretch{structure.offset + field.offset, field.width};
}

std::expected<LocatedRefcount, std::string> locate_refcount(const Layout& layout, std::uint64_t cluster) {
  const Shape& shape = layout.shape;
  const auto& blocks = layout.clusters.refcount_blocks();
  const std::uint64_t block = cluster / shape.refcounts_in_block;
  if (block >= blocks.size() || blocks[block] == 0)
    return std::unexpected("the image has no refcount block " + std::to_string(block));
  const std::uint64_t first_bit = (cluster % shape.refcounts_in_block) << shape.refcount_order;
  const unsigned bits = 1u << shape.refcount_order;
  Field field{.name = "value", .offset = first_bit / 8, .width = std::max(1u, bits / 8)};
  if (bits < 8) {
    field.shift = first_bit % 8;
    field.mask = ((std::uint64_t{1} << bits) - 1) << field.shift;
  }
  return LocatedRefcount{blocks[block], field};
}

}  // namespace cowvet::corpus
