// `set`: fields of structures, wherever the builder put them.
#include "corpus/draft.h"
#include "corpus/locate.h"

namespace cowvet::corpus {
namespace {

class FieldSetter {
 public:
  FieldSetter(Draft& draft, const SetFields& set) : draft_(draft), layout_(draft.layout), set_(set) {}

  void run() {
    if (set_.target == Target::refcount) return set_refcount();
    const auto structure = locate_structure(layout_, set_);
    if (!structure) return fail(structure.error());
    for (const Assignment& assignment : set_.assignments) assign(*structure, assignment);
  }

 private:
  void fail(const std::string& message) {
    draft_.error.add(draft_.where, set_.name.empty() ? draft_.verb : set_.name, message);
  }

  void assign(const Stretch& structure, const Assignment& assignment) {
    const auto field = find_field(set_.target, assignment.field, layout_.shape.cluster_bits);
    if (!field) return draft_.fail("no field " + assignment.field);
    const auto at = locate_field(layout_, set_, structure, *field);
    if (!at) return draft_.fail(at.error());
    if (field->type == Field::Type::bytes || assignment.text) return assign_bytes(assignment, *at);
    assign_number(*field, assignment, structure);
  }

  void assign_bytes(const Assignment& assignment, const Stretch& at) {
    if (!assignment.text) return draft_.fail(assignment.field + " takes text or hex:");
    if (assignment.text->size() > at.length)
      return draft_.error.add(draft_.where, assignment.field,
                              "has room for " + std::to_string(at.length) + " bytes");
    std::string bytes = *assignment.text;
    bytes.resize(at.length);
    patch_bytes(draft_, draft_.image, at.offset, std::as_bytes(std::span(bytes)));
  }

  // The file grows where an earlier statement cut the structure off. Empty, and an error, where it would
  // become too large.
  std::span<std::byte> bytes_of(const Stretch& structure) {
    if (!fits_in(structure.offset, structure.length, kMostDamagedBytes)) {
      draft_.fail("lies too far behind the end of the file");
      return {};
    }
    const std::uint64_t end = structure.offset + structure.length;
    if (end > draft_.image.size()) draft_.image.resize(end);
    return std::span(draft_.image).subspan(structure.offset, structure.length);
  }

  void assign_number(const Field& field, const Assignment& assignment, const Stretch& structure) {
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

  void set_refcount() {
    const auto at = resolve_in(draft_, draft_.image, *set_.of);
    if (!at) return;
    const auto refcount = locate_refcount(layout_, *at >> layout_.shape.cluster_bits);
    if (!refcount) return fail(refcount.error());
    for (const Assignment& assignment : set_.assignments)
      assign_number(refcount->field, assignment, {refcount->offset, layout_.shape.cluster_bytes});
  }

  Draft& draft_;
  const Layout& layout_;
  const SetFields& set_;
};

}  // namespace

void set_fields(Draft& draft, const SetFields& set) {
  FieldSetter(draft, set).run();
}

}  // namespace cowvet::corpus
