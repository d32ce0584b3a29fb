#include "checker/planning/editor.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace cowvet {

Editor::Editor(const Device& image, const Device* data_file)
    : image_(image), data_file_(data_file ? std::make_unique<OverlayDevice>(*data_file) : nullptr) {}

Step& Editor::begin(RuleId rule, Remedy remedy, std::string why, Phase phase) {
  return steps_.emplace_back(Step{.rule = rule, .remedy = remedy, .why = std::move(why), .phase = phase});
}

void Editor::write(File target, std::uint64_t offset, std::span<const std::byte> bytes) {
  assert(!steps_.empty());
  std::vector<std::byte> old_bytes(bytes.size());
  const bool readable = device(target).read(offset, old_bytes).has_value();
  const bool inside = offset + bytes.size() <= device(target).size_bytes();
  if (readable && inside && std::ranges::equal(old_bytes, bytes)) return;
  device(target).write(offset, bytes);
  ++changes_;
  std::vector<Write>& writes = steps_.back().writes;
  if (!writes.empty() && writes.back().target == target &&
      writes.back().offset + writes.back().new_bytes.size() == offset) {
    writes.back().old_bytes.insert(writes.back().old_bytes.end(), old_bytes.begin(), old_bytes.end());
    writes.back().new_bytes.insert(writes.back().new_bytes.end(), bytes.begin(), bytes.end());
    return;
  }
  writes.push_back({target, offset, std::move(old_bytes), {bytes.begin(), bytes.end()}});
}

void Editor::grow(File target, std::uint64_t size_bytes) {
  if (device(target).size_bytes() >= size_bytes) return;
  device(target).resize(size_bytes);
  ++changes_;
}

std::vector<Step> Editor::take_steps() {
  // Opening a step is how a remedy says why; one whose write proved needless has nothing to say.
  std::erase_if(steps_, [](const Step& step) { return step.writes.empty(); });
  return std::exchange(steps_, {});
}

}  // namespace cowvet
