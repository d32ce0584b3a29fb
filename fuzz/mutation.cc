#include "fuzz/mutation.h"

#include <fmt/format.h>

#include <algorithm>

#include "tests/matrix/bases.h"

namespace cowvet::fuzz {
namespace {

using corpus::Field;
using corpus::ListedField;

// A LUKS header alone has 2 MiB: larger images are left to the matrix.
constexpr std::uint64_t kMostImageBytes = 512 << 10;
constexpr std::size_t kMostChanges = 8;

std::vector<Base> load_bases() {
  std::vector<Base> bases;
  for (const matrix::Base& sound : matrix::bases()) {
    corpus::Recipe recipe = matrix::recipe_of(sound);
    auto built = corpus::build(recipe);
    if (!built || built->image.size() > kMostImageBytes) continue;
    Base base{.recipe = std::move(recipe), .built = std::move(*built), .fields = {}, .places = {}};
    base.fields = corpus::list_fields(base.built);
    for (const ListedField& field : base.fields)
      if (base.places.empty() || base.places.back() != field.offset) base.places.push_back(field.offset);
    bases.push_back(std::move(base));
  }
  return bases;
}

// Reads the input from its beginning; zeros behind its end.
class Input {
 public:
  explicit Input(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  bool at_end() const { return bytes_.empty(); }
  std::uint64_t number(std::size_t bytes) {
    std::uint64_t value = 0;
    for (; bytes > 0; --bytes) {
      value = value << 8 | (bytes_.empty() ? 0 : bytes_.front());
      if (!bytes_.empty()) bytes_ = bytes_.subspan(1);
    }
    return value;
  }
  std::size_t index(std::size_t count) { return count == 0 ? 0 : number(2) % count; }

 private:
  std::span<const std::uint8_t> bytes_;
};

class Mutator {
 public:
  Mutator(Input& input, Mutant& mutant) : input_(input), mutant_(mutant), base_(*mutant.base) {}

  void change_once() {
    const std::uint64_t verb = input_.number(1) % 8;
    if (verb == 6) return copy_cluster();
    if (verb == 7) return cut();
    const ListedField& listed = base_.fields[input_.index(base_.fields.size())];
    if (listed.field.type == Field::Type::bytes) return change_bytes(listed);
    change_number(listed, verb);
  }

 private:
  std::vector<std::byte>& image() { return mutant_.image.image; }
  std::uint64_t cluster_bytes() const { return base_.built.layout.shape.cluster_bytes; }

  void change_number(const ListedField& listed, std::uint64_t verb) {
    const std::uint64_t end = listed.offset + listed.field.offset + listed.field.width;
    if (end > image().size()) return;
    const auto structure = std::span(image()).subspan(listed.offset, end - listed.offset);
    const std::uint64_t old = corpus::load_field(listed.field, structure);
    std::uint64_t bits = listed.field.mask;
    if (listed.field.width < 8) bits &= (std::uint64_t{1} << 8 * listed.field.width) - 1;
    corpus::store_field(listed.field, changed(verb, old) & bits >> listed.field.shift, structure);
    mutant_.changes.push_back(fmt::format("{}: {:#x} becomes {:#x}", listed.name(), old,
                                          corpus::load_field(listed.field, structure)));
  }

  std::uint64_t changed(std::uint64_t verb, std::uint64_t old) {
    switch (verb) {
      case 0:
        return old ^ std::uint64_t{1} << input_.number(1) % 64;
      case 1:
        return old + static_cast<std::uint64_t>(static_cast<std::int8_t>(input_.number(1)));
      case 2:  // linked to something else
        return (old & kCopied) | base_.places[input_.index(base_.places.size())];
      case 3:  // a cluster of the file, or one behind it
        return (old & kCopied) | input_.index(image().size() / cluster_bytes() + 4) * cluster_bytes();
      case 4:  // the value of another field
        return value_of(base_.fields[input_.index(base_.fields.size())]);
      default:
        return input_.number(8);
    }
  }

  std::uint64_t value_of(const ListedField& listed) {
    const std::uint64_t end = listed.offset + listed.field.offset + listed.field.width;
    if (listed.field.type == Field::Type::bytes || end > base_.built.image.size()) return 0;
    return corpus::load_field(listed.field,
                              std::span(base_.built.image).subspan(listed.offset, end - listed.offset));
  }

  void change_bytes(const ListedField& listed) {
    const std::uint64_t at = listed.offset + listed.field.offset + input_.index(listed.field.width);
    if (at >= image().size()) return;
    image()[at] = static_cast<std::byte>(input_.number(1));
    mutant_.changes.push_back(fmt::format("{}: byte {:#x}", listed.name(), at));
  }

  // One cluster over another, as a write that went astray.
  void copy_cluster() {
    const std::uint64_t length = std::min<std::uint64_t>(cluster_bytes(), 4096);
    const std::size_t count = image().size() / length;
    const std::uint64_t from = input_.index(count) * length, to = input_.index(count) * length;
    if (count == 0 || from == to) return;
    std::copy_n(image().begin() + static_cast<std::ptrdiff_t>(from), length,
                image().begin() + static_cast<std::ptrdiff_t>(to));
    mutant_.changes.push_back(fmt::format("{} bytes of {:#x} written to {:#x}", length, from, to));
  }

  void cut() {
    if (image().size() <= 512) return;
    image().resize(512 + input_.index(image().size() / 512) * 512);
    mutant_.changes.push_back(fmt::format("cut to {} bytes", image().size()));
  }

  Input& input_;
  Mutant& mutant_;
  const Base& base_;
};

}  // namespace

const std::vector<Base>& bases() {
  static const std::vector<Base> all = load_bases();
  return all;
}

Mutant make_mutant(std::span<const std::uint8_t> bytes) {
  Input input(bytes);
  const Base& base = bases()[input.number(1) % bases().size()];
  Mutant mutant{.base = &base, .image = base.built, .changes = {}};
  Mutator mutator(input, mutant);
  for (std::size_t i = 0; i < kMostChanges && !input.at_end(); ++i) mutator.change_once();
  return mutant;
}

}  // namespace cowvet::fuzz
