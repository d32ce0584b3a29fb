// `set`: fields of structures, wherever the builder put them.
#include <algorithm>

#include "checker/format/extensions.h"
#include "checker/format/luks.h"
#include "corpus/draft.h"
#include "corpus/fields.h"
#include "corpus/parse_recipe.h"

namespace cowvet::corpus {
namespace {

class FieldSetter {
 public:
  FieldSetter(Draft& draft, const SetFields& set) : draft_(draft), layout_(draft.layout), set_(set) {}

  void run() {
    if (set_.target == Target::refcount) return set_refcount_of_cluster();
    const auto structure = locate();
    if (!structure) return;
    for (const Assignment& assignment : set_.assignments) assign(*structure, assignment);
  }

 private:
  struct Structure {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };

  std::optional<std::uint64_t> place(PlaceKind kind, std::uint64_t number, const std::string& name = {},
                                     const std::string& snapshot = {}) {
    const Expression expression{name.empty() ? draft_.verb : name,
                                {{.place = NamedPlace{kind, number, name, snapshot}}}};
    return resolve_in(draft_, draft_.image, expression);
  }

  // Where the structure lies that the statement is about.
  std::optional<Structure> locate() {
    const std::uint64_t index = set_.index.value_or(0);
    switch (set_.target) {
      case Target::header:
        return Structure{0, sizeof(RawHeader)};
      case Target::extension:
        return with_length(place(PlaceKind::extension, 0, set_.name), extension_bytes(set_.name));
      case Target::feature_name:
        return feature_name(index);
      case Target::l1:
        return l1_entry();
      case Target::l2:
        return with_length(place(PlaceKind::l2_entry, *set_.guest, {}, set_.snapshot),
                           layout_.shape.l2_entry_bytes);
      case Target::refcount_table:
        return with_length(place(PlaceKind::refcount_table_entry, index), 8);
      case Target::snapshot:
        return snapshot(set_.name);
      case Target::bitmap:
        return bitmap(set_.name);
      case Target::bitmap_table:
        return with_length(place(PlaceKind::bitmap_table_entry, index, set_.name), 8);
      case Target::luks:
        return with_length(place(PlaceKind::luks, 0), sizeof(RawLuksHeader));
      case Target::luks_slot:
        return luks_slot(index);
      case Target::refcount:
        break;
    }
    return std::nullopt;
  }

  std::optional<Structure> with_length(std::optional<std::uint64_t> offset, std::uint64_t length) {
    if (!offset) return std::nullopt;
    return Structure{*offset, length};
  }

  std::uint64_t extension_bytes(const std::string& name) {
    const ExtensionLayout* found = layout_.find_extension(parse_extension_type(name).value_or(0));
    return sizeof(RawExtensionHead) + (found ? found->data.size() : 0);
  }

  std::optional<Structure> feature_name(std::uint64_t index) {
    const auto table = place(PlaceKind::extension, 0, "feature-names");
    if (!table) return std::nullopt;
    return Structure{*table + sizeof(RawExtensionHead) + index * sizeof(RawFeatureName),
                     sizeof(RawFeatureName)};
  }

  std::optional<Structure> l1_entry() {
    if (set_.guest) return with_length(place(PlaceKind::l1_entry, *set_.guest, {}, set_.snapshot), 8);
    const auto table = place(PlaceKind::l1_table, 0, {}, set_.snapshot);
    if (!table) return std::nullopt;
    return Structure{*table + *set_.index * 8, 8};
  }

  std::optional<Structure> snapshot(const std::string& id) {
    const SnapshotLayout* found = layout_.find_snapshot(id);
    if (!found) draft_.fail("the image has no snapshot " + id);
    if (!found) return std::nullopt;
    return Structure{found->entry_offset, sizeof(RawSnapshotHead) + found->entry.extra_data.size()};
  }

  std::optional<Structure> bitmap(const std::string& name) {
    return with_length(place(PlaceKind::bitmap_entry, 0, name), sizeof(RawBitmapHead));
  }

  std::optional<Structure> luks_slot(std::uint64_t index) {
    const auto header = place(PlaceKind::luks, 0);
    if (!header) return std::nullopt;
    if (index >= kLuksKeySlots) draft_.fail("there are 8 key slots, from 0");
    return Structure{*header + offsetof(RawLuksHeader, slots) + index * sizeof(RawLuksKeySlot),
                     sizeof(RawLuksKeySlot)};
  }

  // Fields whose place depends on the lengths of others.
  std::optional<Structure> variable_field(std::string_view field, std::uint64_t entry) {
    if (set_.target == Target::snapshot) {
      const Snapshot& found = layout_.find_snapshot(set_.name)->entry;
      const std::uint64_t id = entry + sizeof(RawSnapshotHead) + found.extra_data.size();
      if (field == "id") return Structure{id, found.id.size()};
      if (field == "name") return Structure{id + found.id.size(), found.name.size()};
    }
    if (set_.target == Target::bitmap) {
      const Bitmap& found = layout_.find_bitmap(set_.name)->entry;
      const std::uint64_t name = entry + sizeof(RawBitmapHead) + found.extra_data.size();
      const std::uint64_t end = name + found.name.size();
      if (field == "name") return Structure{name, found.name.size()};
      if (field == "padding") return Structure{end, (8 - end % 8) % 8};
    }
    return std::nullopt;
  }

  void assign(const Structure& structure, const Assignment& assignment) {
    const auto field = find_field(set_.target, assignment.field, layout_.shape.cluster_bits);
    if (!field) return draft_.fail("no field " + assignment.field);
    if (const auto at = variable_field(field->name, structure.offset))
      return assign_bytes(assignment, at->offset, at->length);
    if (field->offset + field->width > structure.length)
      return draft_.fail("the structure is too short to have the field " + assignment.field);
    if (assignment.text) return assign_bytes(assignment, structure.offset + field->offset, field->width);
    assign_number(*field, assignment, structure);
  }

  void assign_bytes(const Assignment& assignment, std::uint64_t at, std::uint64_t length) {
    if (!assignment.text) return draft_.fail(assignment.field + " takes text or hex:");
    if (assignment.text->size() > length)
      return draft_.error.add(draft_.where, assignment.field,
                              "has room for " + std::to_string(length) + " bytes");
    std::string bytes = *assignment.text;
    bytes.resize(length);
    patch_bytes(draft_, draft_.image, at, std::as_bytes(std::span(bytes)));
  }

  // The file grows where an earlier statement cut the structure off. Empty, and an error, where it would
  // become too large.
  std::span<std::byte> bytes_of(const Structure& structure) {
    if (!fits_in(structure.offset, structure.length, kMostDamagedBytes)) {
      draft_.fail("lies too far behind the end of the file");
      return {};
    }
    const std::uint64_t end = structure.offset + structure.length;
    if (end > draft_.image.size()) draft_.image.resize(end);
    return std::span(draft_.image).subspan(structure.offset, structure.length);
  }

  void assign_number(const Field& field, const Assignment& assignment, const Structure& structure) {
    const auto value = resolve_in(draft_, draft_.image, assignment.value);
    if (!value) return;
    const auto bytes = bytes_of(structure);
    if (bytes.empty()) return;
    if (!store_field(field, combine(load_field(field, bytes), assignment.op, *value), bytes))
      draft_.error.add(draft_.where, assignment.field, "the value has bits outside of this field");
  }

  static std::uint64_t combine(std::uint64_t old, Operator op, std::uint64_t value) {
    switch (op) {
      case Operator::add:
        return old + value;
      case Operator::subtract:
        return old - value;
      case Operator::set_bits:
        return old | value;
      default:
        return value;
    }
  }

  void set_refcount_of_cluster() {
    const auto at = resolve_in(draft_, draft_.image, *set_.of);
    if (!at) return;
    const Shape& shape = layout_.shape;
    const std::uint64_t cluster = *at >> shape.cluster_bits;
    const auto block = place(PlaceKind::refcount_block, cluster / shape.refcounts_in_block);
    if (!block) return;
    const auto bytes = bytes_of({*block, shape.cluster_bytes});
    if (bytes.empty()) return;
    const std::uint64_t index = cluster % shape.refcounts_in_block;
    for (const Assignment& assignment : set_.assignments) {
      const auto value = resolve_in(draft_, draft_.image, assignment.value);
      if (!value) return;
      const std::uint64_t old = get_refcount(bytes, shape.refcount_order, index);
      const std::uint64_t fresh = combine(old, assignment.op, *value);
      if (fresh > max_refcount(shape.refcount_order)) return draft_.fail("does not fit the refcount bits");
      set_refcount(bytes, shape.refcount_order, index, fresh);
    }
  }

  Draft& draft_;
  Layout& layout_;
  const SetFields& set_;
};

}  // namespace

void set_fields(Draft& draft, const SetFields& set) {
  FieldSetter(draft, set).run();
}

}  // namespace cowvet::corpus
