#include "checker/report/plan_fix.h"

#include <algorithm>
#include <map>
#include <ranges>
#include <span>
#include <utility>

namespace cowvet {
namespace {

// A file's new content: disjoint pieces by offset.
class Pieces {
 public:
  // Adds what is not there yet: later writes win, so that they have to be added first. Each step of the loop
  // deals with at least one byte of `bytes`.
  void add(std::uint64_t offset, std::span<const std::byte> bytes) {
    auto next = pieces_.upper_bound(offset);
    if (next != pieces_.begin() && end_of(*std::prev(next)) > offset) --next;
    while (!bytes.empty()) {
      if (next != pieces_.end() && next->first <= offset) {
        const std::uint64_t known = std::min<std::uint64_t>(end_of(*next) - offset, bytes.size());
        offset += known;
        bytes = bytes.subspan(known);
        ++next;
        continue;
      }
      const std::uint64_t gap = next == pieces_.end() ? bytes.size() : next->first - offset;
      const auto part = bytes.first(std::min<std::uint64_t>(gap, bytes.size()));
      pieces_.emplace_hint(next, offset, std::vector<std::byte>(part.begin(), part.end()));
      offset += part.size();
      bytes = bytes.subspan(part.size());
    }
  }

  // Neighbours joined, in order.
  std::vector<Replacement> join() && {
    std::vector<Replacement> joined;
    for (auto& [offset, bytes] : pieces_) {
      if (!joined.empty() && joined.back().offset + joined.back().inserted.size() == offset) {
        joined.back().inserted.insert(joined.back().inserted.end(), bytes.begin(), bytes.end());
      } else {
        joined.push_back({.offset = offset, .inserted = std::move(bytes)});
      }
    }
    return joined;
  }

 private:
  using Piece = std::pair<const std::uint64_t, std::vector<std::byte>>;
  static std::uint64_t end_of(const Piece& piece) { return piece.first + piece.second.size(); }

  std::map<std::uint64_t, std::vector<std::byte>> pieces_;
};

std::uint64_t bytes_written(const Plan& plan) {
  std::uint64_t bytes = 0;
  for (const Step& step : plan.steps)
    for (const Write& write : step.writes) bytes += write.new_bytes.size();
  return bytes;
}

}  // namespace

bool hold_originals(Plan& plan, const Device& image, const Device* data_file, std::uint64_t most_bytes) {
  if (bytes_written(plan) > most_bytes) return true;
  for (Step& step : plan.steps)
    for (Write& write : step.writes) {
      if (!write.new_bytes.has_original()) continue;
      const Device* original = write.target == File::image ? &image : data_file;
      std::vector<std::byte> bytes(write.new_bytes.size());
      if (original == nullptr || !write.new_bytes.read(0, bytes, *original)) return false;
      write.new_bytes = Content(bytes);
    }
  return true;
}

std::optional<std::vector<Replacement>> replacements_of(const Plan& plan, File target,
                                                        std::uint64_t file_bytes, std::uint64_t bytes_after,
                                                        std::uint64_t most_bytes) {
  const std::uint64_t grown = bytes_after - std::min(bytes_after, file_bytes);
  std::uint64_t written = grown;
  Pieces pieces;
  for (const Step& step : plan.steps | std::views::reverse)
    for (const Write& write : step.writes | std::views::reverse) {
      if (write.target != target) continue;
      written += write.new_bytes.size();
      if (written > most_bytes || write.new_bytes.has_original()) return std::nullopt;
      pieces.add(write.offset, write.new_bytes.bytes());
    }
  if (written > most_bytes) return std::nullopt;
  // What the file grows by without being written reads as zeros.
  pieces.add(file_bytes, std::vector<std::byte>(grown));
  std::vector<Replacement> replacements = std::move(pieces).join();
  for (Replacement& replacement : replacements)
    replacement.deleted_bytes = std::min<std::uint64_t>(
        replacement.inserted.size(), file_bytes - std::min(file_bytes, replacement.offset));
  return replacements;
}

}  // namespace cowvet
