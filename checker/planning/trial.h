// Trying out what was lost: if this field named that place, how well would everything else fit together? Each
// candidate is written to an overlay of its own, and the checker says what it finds there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "checker/planning/round.h"

namespace cowvet {

// Bytes of the image file as a candidate has them.
struct Patch {
  std::uint64_t offset = 0;
  std::vector<std::byte> bytes;

  template <std::unsigned_integral T>
  static Patch number(std::uint64_t offset, T value) {
    Patch patch{offset, std::vector<std::byte>(sizeof(T))};
    store_big_endian(patch.bytes.data(), value);
    return patch;
  }
};

// An image as it would be with patches, for who examines it.
struct PatchedImage {
  // `now` must outlive this.
  PatchedImage(const Inputs& now, const std::vector<Patch>& patches);

  OverlayDevice image;
  const Inputs inputs;
};

// What the checker would find. Less is better; nothing at all means that everything fits together.
struct Score {
  std::uint64_t unchecked = 0;
  std::uint64_t errors = 0;     // corruptions and leaks, in entries and clusters, but for:
  std::uint64_t uncounted = 0;  // refcounts too low, and COPIED bits, as lost refcounts make them

  auto operator<=>(const Score&) const = default;
  bool is_perfect() const { return *this == Score{}; }
  std::uint64_t all() const { return errors + uncounted; }
  bool is_usable() const { return unchecked != kUnusable; }  // the header could be read

  static constexpr std::uint64_t kUnusable = ~std::uint64_t{0};
};

struct Candidate {
  std::string outcome;  // as given to --choose
  std::string why;      // "name the L1 table at 0x30000"
  std::vector<Patch> patches;
  Score score;
};

// Without the content of a data file, which no candidate changes.
Score try_out(const Inputs& inputs, const Options& options, const std::vector<Patch>& patches,
              bool deep = false);

// Scores the candidates and picks the one that is consistent: the only one with which everything fits
// together, or else the only one that is better than `now`; of several, the one that the user chose. Where
// there are several and nobody chose, asks, listing them with their scores. nullptr: none.
const Candidate* pick(Round& round, const Finding& finding, std::vector<Candidate>& candidates);

// The only one with which everything fits together. For pointers that may well be right.
const Candidate* pick_perfect(const Round& round, std::vector<Candidate>& candidates);

// Opens the step and writes the candidate into it: safe where it is the only one, else a choice.
Step& apply_candidate(Round& round, const Finding& finding, const Candidate& candidate);

}  // namespace cowvet
