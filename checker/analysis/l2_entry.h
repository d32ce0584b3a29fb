// The judgement of a single L2 entry that is not plainly in order. Sound images hardly ever come here.
#pragma once

#include <cstdint>

#include "checker/analysis/entry_findings.h"
#include "checker/format/entries.h"

namespace cowvet {

// What an entry holds on to in the image file, after judgement.
struct Held {
  enum class Kind : std::uint8_t { nothing, standard, compressed };
  Kind kind = Kind::nothing;
  std::uint64_t first = 0;  // cluster
  std::uint64_t count = 0;  // clusters
};

class EntryJudge {
 public:
  explicit EntryJudge(const Context& context);

  // True where a standard entry with a host offset can need no judgement but that of its extent: no bit is
  // set that this image may not have, and the offset is aligned.
  bool is_plain(std::uint64_t entry) const { return (entry & not_plain_) == 0 && (entry & kOffsetMask) != 0; }

  // Judges entry `index` of `table`: reports what is wrong, says what is held all the same.
  Held judge(const L2Table& table, std::uint64_t index, std::uint64_t entry, SubclusterBitmap subclusters,
             EntryFindings& findings) const;

  // What it holds, without judging.
  Held held(std::uint64_t entry) const;

  // Whether an L2 table could hold the entry; used to recognise lost tables.
  bool is_plausible(std::uint64_t entry, SubclusterBitmap subclusters) const;

 private:
  Held judge_compressed(const L2Table& table, std::uint64_t index, L2Entry entry,
                        SubclusterBitmap subclusters, EntryFindings& findings) const;
  void judge_subclusters(const L2Table& table, std::uint64_t index, L2Entry entry,
                         SubclusterBitmap subclusters, EntryFindings& findings) const;
  void judge_data_file_entry(const L2Table& table, std::uint64_t index, L2Entry entry,
                             EntryFindings& findings) const;
  bool zero_bit_allowed() const { return version_ >= 3 && !extended_; }

  const Geometry& geometry_;
  std::uint32_t version_;
  bool extended_;
  bool data_file_;
  std::uint64_t unaligned_;  // offset bits that must be clear
  std::uint64_t not_plain_;
};

}  // namespace cowvet
