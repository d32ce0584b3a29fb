#include "tests/matrix/verbs.h"

#include <algorithm>
#include <bit>
#include <functional>
#include <optional>
#include <random>

namespace cowvet::matrix {
namespace {

using corpus::Field;
using corpus::ListedField;

// The same numbers for the same field, whatever else is tested.
std::mt19937_64 random_for(const ListedField& field) {
  std::uint64_t seed = 14695981039346656037u;
  for (const char c : field.name()) seed = (seed ^ static_cast<unsigned char>(c)) * 1099511628211u;
  return std::mt19937_64(seed);
}

// The bits of the field in the number that holds it, as load_field and store_field see it.
std::uint64_t bits_of(const Field& field) {
  std::uint64_t bits = field.mask;
  if (field.width < 8) bits &= (std::uint64_t{1} << (8 * field.width)) - 1;
  return bits >> field.shift;
}

std::uint64_t lowest(std::uint64_t bits) {
  return bits & -bits;
}

std::uint64_t middle(std::uint64_t bits) {
  for (int below = std::popcount(bits) / 2; below > 0; --below) bits &= bits - 1;
  return lowest(bits);
}

std::optional<std::uint64_t> changed(Verb verb, const ListedField& listed, std::uint64_t cluster,
                                     std::uint64_t old) {
  const std::uint64_t bits = bits_of(listed.field);
  const bool counts_bytes = (bits & cluster) != 0 && std::popcount(bits) > 32;
  switch (verb) {
    case Verb::zero:
      return 0;
    case Verb::ones:
      return bits;
    case Verb::first_bit:
      return old ^ std::bit_floor(bits);
    case Verb::middle_bit:
      return old ^ middle(bits);
    case Verb::last_bit:
      return old ^ lowest(bits);
    case Verb::add:
      return (old + lowest(bits)) & bits;
    case Verb::subtract:
      return (old - lowest(bits)) & bits;
    case Verb::random:
      return random_for(listed)() & bits;
    case Verb::add_cluster:
      return counts_bytes ? std::optional((old + cluster) & bits) : std::nullopt;
    case Verb::subtract_cluster:
      return counts_bytes ? std::optional((old - cluster) & bits) : std::nullopt;
  }
  return std::nullopt;
}

void change_bytes(Verb verb, const ListedField& field, std::span<std::byte> bytes) {
  const auto carry_from_end = [bytes](std::uint8_t amount, std::uint8_t stops_unless) {
    for (std::size_t i = bytes.size(); i-- > 0;) {
      bytes[i] = static_cast<std::byte>(static_cast<std::uint8_t>(bytes[i]) + amount);
      if (static_cast<std::uint8_t>(bytes[i]) != stops_unless) return;
    }
  };
  std::mt19937_64 random = random_for(field);
  switch (verb) {
    case Verb::zero:
      std::ranges::fill(bytes, std::byte{0});
      return;
    case Verb::ones:
      std::ranges::fill(bytes, std::byte{0xff});
      return;
    case Verb::first_bit:
      bytes.front() ^= std::byte{0x80};
      return;
    case Verb::middle_bit:
      bytes[bytes.size() / 2] ^= std::byte{0x08};
      return;
    case Verb::last_bit:
      bytes.back() ^= std::byte{1};
      return;
    case Verb::add:
      return carry_from_end(1, 0);
    case Verb::subtract:
      return carry_from_end(0xff, 0xff);
    case Verb::random:
      std::ranges::generate(bytes, [&random] { return static_cast<std::byte>(random()); });
      return;
    case Verb::add_cluster:
    case Verb::subtract_cluster:
      return;
  }
}

}  // namespace

std::string_view to_string(Verb verb) {
  constexpr std::string_view kNames[] = {"zero", "ones",     "first bit", "middle bit",  "last bit",
                                         "add",  "subtract", "random",    "add cluster", "subtract cluster"};
  return kNames[static_cast<std::size_t>(verb)];
}

bool apply(Verb verb, const ListedField& listed, std::uint64_t cluster_bytes, std::span<std::byte> image) {
  const std::uint64_t begin = listed.offset + listed.field.offset;
  if (begin + listed.field.width > image.size()) return false;
  const auto bytes = image.subspan(begin, listed.field.width);
  const std::vector<std::byte> before(bytes.begin(), bytes.end());
  if (listed.field.type == Field::Type::bytes) {
    change_bytes(verb, listed, bytes);
  } else {
    const auto structure = image.subspan(listed.offset, listed.field.offset + listed.field.width);
    const auto value = changed(verb, listed, cluster_bytes, corpus::load_field(listed.field, structure));
    if (!value || !corpus::store_field(listed.field, *value, structure)) return false;
  }
  return !std::ranges::equal(before, bytes);
}

}  // namespace cowvet::matrix
