#include "checker/planning/editor.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "checker/planning/original_bytes.h"

namespace cowvet {
namespace {

constexpr std::uint64_t kPieceBytes = std::uint64_t{1} << 20;
constexpr std::uint64_t kMostMergedBytes = std::uint64_t{1} << 20;  // held by one write
constexpr std::size_t kMostMergedPieces = 1024;
constexpr std::uint64_t kAlwaysHeldBytes = 256;  // header fields, entries: for people

// Whether `next`, which goes on where `last` ends, may become a part of it: no write is too long a text.
bool may_merge(const Write& last, const Write& next) {
  std::uint64_t held = 0;
  std::size_t pieces = 0;
  for (const Content* content : {&last.old_bytes, &last.new_bytes, &next.old_bytes, &next.new_bytes}) {
    pieces += content->pieces().size();
    if (pieces > kMostMergedPieces) return false;
    held += content->held_bytes();
  }
  return held <= kMostMergedBytes;
}

}  // namespace

Editor::Editor(const Device& image, const Device* data_file, std::uint64_t most_held_bytes)
    : image_(image),
      data_file_(data_file ? std::make_unique<OverlayDevice>(*data_file) : nullptr),
      spare_bytes_(most_held_bytes) {}

Step& Editor::begin(RuleId rule, Remedy remedy, std::string why, Phase phase) {
  return steps_.emplace_back(Step{.rule = rule, .remedy = remedy, .why = std::move(why), .phase = phase});
}

void Editor::write(File target, std::uint64_t offset, std::span<const std::byte> bytes) {
  for (std::uint64_t done = 0; done < bytes.size(); done += kPieceBytes)
    put(target, offset + done,
        Content(bytes.subspan(done, std::min<std::uint64_t>(kPieceBytes, bytes.size() - done))));
}

void Editor::copy(File target, std::uint64_t from, std::uint64_t to, std::uint64_t length) {
  put(target, to, find_content(target, from, length));
}

void Editor::copy_original(File target, std::uint64_t from, std::uint64_t to, std::uint64_t length) {
  put(target, to, hash_originals(Content::original(from, length, 0), device(target).below()));
}

// What is there now. Patterns are found as such; of the rest, what is in memory already is shared, and what
// is in the file is held as long as that is little.
Content Editor::find_content(File target, std::uint64_t offset, std::uint64_t length) {
  const OverlayDevice& overlay = device(target);
  Content found;
  std::vector<std::byte> bytes(std::min(length, kPieceBytes));
  for (std::uint64_t done = 0; done < length;) {
    const std::span part = std::span(bytes).first(std::min<std::uint64_t>(bytes.size(), length - done));
    if (!overlay.read(offset + done, part)) std::ranges::fill(part, std::byte{0});
    const Content compact(part);
    const std::uint64_t held = compact.held_bytes();
    if (held <= kAlwaysHeldBytes) {
      found.append(compact);
    } else if (held <= spare_bytes_) {
      spare_bytes_ -= held;
      found.append(compact);
    } else {
      found.append(hash_originals(overlay.content(offset + done, part.size()), overlay.below()));
    }
    done += part.size();
  }
  return found;
}

// Neighbours in one step are one write.
void Editor::put(File target, std::uint64_t offset, const Content& content) {
  assert(!steps_.empty());
  if (content.empty()) return;
  OverlayDevice& overlay = device(target);
  const bool is_inside = offset + content.size() <= overlay.size_bytes();
  if (is_inside && holds(overlay, offset, content, overlay.below())) return;
  Write write{target, offset, find_content(target, offset, content.size()), content};
  overlay.put(offset, content);
  ++changes_;
  std::vector<Write>& writes = steps_.back().writes;
  Write* last = writes.empty() ? nullptr : &writes.back();
  if (last && last->target == target && last->offset + last->new_bytes.size() == offset &&
      may_merge(*last, write)) {
    last->old_bytes.append(write.old_bytes);
    last->new_bytes.append(write.new_bytes);
  } else {
    writes.push_back(std::move(write));
  }
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
