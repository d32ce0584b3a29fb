#include <algorithm>

#include "corpus/draft.h"
#include "corpus/parse_recipe.h"
#include "corpus/patterns.h"
#include "corpus/resolve.h"

namespace cowvet::corpus {
namespace {

// Applies one statement of damage. Places that do not exist are errors of the recipe.
class Damager {
 public:
  explicit Damager(Draft& draft) : draft_(draft), layout_(draft.layout) {}

  void operator()(const SetFields& set) { set_fields(draft_, set); }

  void operator()(const PatchBytes& patch) {
    const auto at = place_in(file(patch.data_file), patch.at);
    if (at) patch_bytes(draft_, file(patch.data_file), *at, std::as_bytes(std::span(patch.bytes)));
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
  std::vector<std::byte>& file(bool data_file) { return data_file ? draft_.data_file : draft_.image; }

  std::optional<std::uint64_t> place_in(const std::vector<std::byte>& target, const Expression& expression) {
    return resolve_in(draft_, target, expression);
  }

  void put_pattern(std::vector<std::byte>& target, std::uint64_t at, std::uint64_t length,
                   const Pattern& pattern) {
    if (!fits_in(at, length, kMostDamagedBytes)) return draft_.fail("makes the file larger than 2 GiB");
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

  Draft& draft_;
  Layout& layout_;
};

}  // namespace

std::optional<std::uint64_t> resolve_in(Draft& draft, const std::vector<std::byte>& file,
                                        const Expression& expression) {
  const auto value = resolve(expression, draft.layout, file.size());
  if (value) return *value;
  draft.error.add(draft.where, expression.source, value.error());
  return std::nullopt;
}

void patch_bytes(Draft& draft, std::vector<std::byte>& file, std::uint64_t at,
                 std::span<const std::byte> bytes) {
  if (!fits_in(at, bytes.size(), kMostDamagedBytes)) return draft.fail("makes the file larger than 2 GiB");
  put_bytes(file, at, bytes);
}

void apply_damage(Draft& draft) {
  for (const Damage& damage : draft.recipe.damage) {
    draft.where = damage.where;
    draft.verb = damage.verb;
    std::visit(Damager(draft), damage.action);
    if (draft.error.any()) return;
  }
}

}  // namespace cowvet::corpus
