#include <algorithm>

#include "checker/format/extensions.h"
#include "checker/format/luks.h"
#include "corpus/draft.h"
#include "corpus/fields.h"
#include "corpus/parse_recipe.h"
#include "corpus/patterns.h"
#include "corpus/resolve.h"

namespace cowvet::corpus {
namespace {

constexpr std::uint64_t kMostBytes = std::uint64_t{2} << 30;

// Applies one statement of damage. Places that do not exist are errors of the recipe.
class Damager {
 public:
  explicit Damager(Draft& draft) : draft_(draft), layout_(draft.layout) {}

  void operator()(const SetFields& set) {
    if (set.target == Target::refcount) return set_refcount_of(set);
    const auto structure = locate(set);
    if (!structure) return;
    for (const Assignment& assignment : set.assignments) assign(set, *structure, assignment);
  }

  void operator()(const PatchBytes& patch) {
    const auto at = place_in(file(patch.data_file), patch.at);
    if (at) put(file(patch.data_file), *at, std::as_bytes(std::span(patch.bytes)));
  }

  void operator()(const FillBytes& fill) {
    const auto at = place_in(file(fill.data_file), fill.at);
    const auto length =
        fill.length ? place_in(file(fill.data_file), *fill.length) : layout_.shape.cluster_bytes;
    if (at && length) put_pattern(file(fill.data_file), *at, *length, fill.pattern);
  }

  void operator()(const Truncate& truncate) {
    std::vector<std::byte>& target = file(truncate.data_file);
    const auto at = place_in(target, truncate.at);
    if (!at) return;
    if (*at > target.size()) return draft_.fail("lies behind the end of the file");
    target.resize(*at);
  }

  void operator()(const Append& append) {
    std::vector<std::byte>& target = file(append.data_file);
    if (const auto length = place_in(target, append.length))
      put_pattern(target, target.size(), *length, append.pattern);
  }

  void operator()(const MakeUnreadable& make) {
    const auto at = place_in(file(make.data_file), make.at);
    const auto length =
        make.length ? place_in(file(make.data_file), *make.length) : layout_.shape.cluster_bytes;
    if (at && length) draft_.unreadable.push_back({make.data_file, *at, *length});
  }

  void operator()(const AddExtension& add) {
    auto& list = layout_.extensions;
    const auto end = std::ranges::find(list, 0u, &ExtensionLayout::type);
    list.insert(end, {add.extension.type, add.extension.data});
    write_extensions(draft_);
  }

  void operator()(const RemoveExtension& remove) {
    if (const auto it = find_extension(remove.name); it != layout_.extensions.end()) {
      layout_.extensions.erase(it);
      write_extensions(draft_);
    }
  }

  void operator()(const SetExtensionData& set) {
    if (const auto it = find_extension(set.name); it != layout_.extensions.end()) {
      it->data = set.data;
      write_extensions(draft_);
    }
  }

 private:
  struct Structure {
    std::uint64_t offset = 0;
    std::uint64_t length = 0;
  };

  std::vector<std::byte>& file(bool data_file) { return data_file ? draft_.data_file : draft_.image; }

  std::optional<std::uint64_t> place_in(const std::vector<std::byte>& target, const Expression& expression) {
    const auto value = resolve(expression, layout_, target.size());
    if (value) return *value;
    draft_.error.add(draft_.where, expression.source, value.error());
    return std::nullopt;
  }

  void put(std::vector<std::byte>& target, std::uint64_t at, std::span<const std::byte> bytes) {
    if (!fits_in(at, bytes.size(), kMostBytes)) return draft_.fail("makes the file larger than 2 GiB");
    put_bytes(target, at, bytes);
  }

  void put_pattern(std::vector<std::byte>& target, std::uint64_t at, std::uint64_t length,
                   const Pattern& pattern) {
    if (!fits_in(at, length, kMostBytes)) return draft_.fail("makes the file larger than 2 GiB");
    std::vector<std::byte> bytes(length);
    fill_pattern(pattern, at, bytes);
    put_bytes(target, at, bytes);
  }

  std::vector<ExtensionLayout>::iterator find_extension(const std::string& name) {
    const auto it =
        std::ranges::find(layout_.extensions, parse_extension_type(name).value_or(0), &ExtensionLayout::type);
    if (it == layout_.extensions.end()) draft_.fail("the image has no extension " + name);
    return it;
  }

  std::optional<std::uint64_t> place(PlaceKind kind, std::uint64_t number, const std::string& name = {},
                                     const std::string& snapshot = {}) {
    const Expression expression{name.empty() ? draft_.verb : name,
                                {{.place = NamedPlace{kind, number, name, snapshot}}}};
    return place_in(draft_.image, expression);
  }

  // Where the structure lies that the statement is about.
  std::optional<Structure> locate(const SetFields& set) {
    const std::uint64_t index = set.index.value_or(0);
    switch (set.target) {
      case Target::header:
        return Structure{0, sizeof(RawHeader)};
      case Target::extension:
        return with_length(place(PlaceKind::extension, 0, set.name), extension_bytes(set.name));
      case Target::feature_name:
        return feature_name(index);
      case Target::l1:
        return l1_entry(set);
      case Target::l2:
        return with_length(place(PlaceKind::l2_entry, *set.guest, {}, set.snapshot),
                           layout_.shape.l2_entry_bytes);
      case Target::refcount_table:
        return with_length(place(PlaceKind::refcount_table_entry, index), 8);
      case Target::snapshot:
        return snapshot(set.name);
      case Target::bitmap:
        return bitmap(set.name);
      case Target::bitmap_table:
        return with_length(place(PlaceKind::bitmap_table_entry, index, set.name), 8);
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

  std::optional<Structure> l1_entry(const SetFields& set) {
    if (set.guest) return with_length(place(PlaceKind::l1_entry, *set.guest, {}, set.snapshot), 8);
    const auto table = place(PlaceKind::l1_table, 0, {}, set.snapshot);
    if (!table) return std::nullopt;
    return Structure{*table + *set.index * 8, 8};
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
  std::optional<Structure> variable_field(const SetFields& set, std::string_view field, std::uint64_t entry) {
    if (set.target == Target::snapshot) {
      const Snapshot& found = layout_.find_snapshot(set.name)->entry;
      const std::uint64_t id = entry + sizeof(RawSnapshotHead) + found.extra_data.size();
      if (field == "id") return Structure{id, found.id.size()};
      if (field == "name") return Structure{id + found.id.size(), found.name.size()};
    }
    if (set.target == Target::bitmap) {
      const Bitmap& found = layout_.find_bitmap(set.name)->entry;
      const std::uint64_t name = entry + sizeof(RawBitmapHead) + found.extra_data.size();
      const std::uint64_t end = name + found.name.size();
      if (field == "name") return Structure{name, found.name.size()};
      if (field == "padding") return Structure{end, (8 - end % 8) % 8};
    }
    return std::nullopt;
  }

  void assign(const SetFields& set, const Structure& structure, const Assignment& assignment) {
    const auto field = find_field(set.target, assignment.field, layout_.shape.cluster_bits);
    if (!field) return draft_.fail("no field " + assignment.field);
    if (const auto at = variable_field(set, field->name, structure.offset))
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
    put(draft_.image, at, std::as_bytes(std::span(bytes)));
  }

  void assign_number(const Field& field, const Assignment& assignment, const Structure& structure) {
    const auto value = place_in(draft_.image, assignment.value);
    if (!value) return;
    if (structure.offset + structure.length > draft_.image.size())
      draft_.image.resize(structure.offset + structure.length);
    const auto bytes = std::span(draft_.image).subspan(structure.offset, structure.length);
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

  void set_refcount_of(const SetFields& set) {
    const auto at = place_in(draft_.image, *set.of);
    if (!at) return;
    const Shape& shape = layout_.shape;
    const std::uint64_t cluster = *at >> shape.cluster_bits;
    const auto block = place(PlaceKind::refcount_block, cluster / shape.refcounts_in_block);
    if (!block) return;
    const auto bytes = std::span(draft_.image).subspan(*block, shape.cluster_bytes);
    const std::uint64_t index = cluster % shape.refcounts_in_block;
    for (const Assignment& assignment : set.assignments) {
      const auto value = place_in(draft_.image, assignment.value);
      if (!value) return;
      const std::uint64_t old = get_refcount(bytes, shape.refcount_order, index);
      const std::uint64_t fresh = combine(old, assignment.op, *value);
      if (fresh > max_refcount(shape.refcount_order)) return draft_.fail("does not fit the refcount bits");
      set_refcount(bytes, shape.refcount_order, index, fresh);
    }
  }

  Draft& draft_;
  Layout& layout_;
};

}  // namespace

void apply_damage(Draft& draft) {
  for (const Damage& damage : draft.recipe.damage) {
    draft.where = damage.where;
    draft.verb = damage.verb;
    std::visit(Damager(draft), damage.action);
    if (draft.error.any()) return;
  }
}

}  // namespace cowvet::corpus
