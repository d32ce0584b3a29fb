// Any bytes are a journal or an error; a journal that was sealed is encoded again as the same bytes.
#include <algorithm>
#include <cstdlib>

#include "checker/device/memory_device.h"
#include "fuzz/bounds.h"
#include "repair/journal.h"

namespace cowvet {
namespace {

std::vector<std::byte> encode(const Journal& journal) {
  std::vector<std::byte> bytes;
  const auto seal = encode_journal(journal, [&bytes](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return std::expected<void, std::string>{};
  });
  if (!seal) std::abort();
  return bytes;
}

}  // namespace
}  // namespace cowvet

void cowvet::fuzz::run_input(std::span<const std::uint8_t> input) {
  const auto given = std::as_bytes(input);
  const MemoryDevice device({given.begin(), given.end()});
  const auto journal = read_journal(device);
  if (!journal || journal->stage == JournalStage::unsealed) return;
  const std::vector<std::byte> bytes = encode(*journal);
  if (bytes.size() > given.size() || !std::ranges::equal(bytes, given.first(bytes.size()))) std::abort();
}
