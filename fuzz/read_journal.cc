// Any bytes are a journal or an error; a journal that was sealed is encoded again as the same bytes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "checker/device/memory_device.h"
#include "repair/journal.h"

namespace cowvet {
namespace {

std::vector<std::byte> encode(const Journal& journal) {
  std::vector<std::byte> bytes;
  const auto seal = encode_journal(journal, [&bytes](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
    return std::expected<void, IoError>{};
  });
  if (!seal) std::abort();
  return bytes;
}

}  // namespace
}  // namespace cowvet

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cowvet;
  const auto* begin = reinterpret_cast<const std::byte*>(data);
  const MemoryDevice device({begin, begin + size});
  const auto journal = read_journal(device);
  if (!journal || journal->stage == Stage::unsealed) return 0;
  const std::vector<std::byte> bytes = encode(*journal);
  if (bytes.size() > size || !std::equal(bytes.begin(), bytes.end(), begin)) std::abort();
  return 0;
}
