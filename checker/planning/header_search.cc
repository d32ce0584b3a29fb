#include "checker/planning/header_search.h"

#include <fmt/format.h>

#include <algorithm>

#include "checker/analysis/passes.h"
#include "checker/analysis/refcount_table.h"
#include "checker/format/header.h"
#include "checker/planning/header_rebuild.h"

namespace cowvet {
namespace {

using Found = std::expected<std::optional<HeaderChange>, std::string>;

constexpr unsigned kLeastClusterBits = 9;
constexpr unsigned kMostClusterBits = 21;  // QEMU limit
constexpr unsigned kMostRefcountOrder = 6;

Candidate with_number(std::string_view field, std::uint64_t offset, std::uint32_t value) {
  return {.outcome = fmt::to_string(value),
          .why = fmt::format("say that {} is {}", field, value),
          .patches = {Patch::number(offset, value)}};
}

std::vector<Candidate> cluster_sizes(std::uint32_t present) {
  std::vector<Candidate> candidates;
  for (std::uint32_t bits = kLeastClusterBits; bits <= kMostClusterBits; ++bits)
    if (bits != present)
      candidates.push_back(with_number("cluster_bits", offsetof(RawHeader, cluster_bits), bits));
  return candidates;
}

std::vector<Candidate> refcount_orders(std::uint32_t present) {
  std::vector<Candidate> candidates;
  for (std::uint32_t order = 0; order <= kMostRefcountOrder; ++order)
    if (order != present)
      candidates.push_back(with_number("refcount_order", offsetof(RawHeader, refcount_order), order));
  return candidates;
}

std::vector<Candidate> versions() {
  return {with_number("the version", offsetof(RawHeader, version), 3),
          with_number("the version", offsetof(RawHeader, version), 2)};
}

class HeaderSearch {
 public:
  HeaderSearch(const Context& before, const PlanOptions& options) : before_(before), options_(options) {}

  Found run() {
    if (before_.report.header_usable) return search_fields();
    if (options_.leaks_only) return std::unexpected(std::string(kUnusable));
    if (found("header/magic")) return restore_magic();
    if (found("header/cluster-bits"))
      return settle(rule("header/cluster-bits"), cluster_sizes(before_.header.cluster_bits), "");
    // Another version may mean other structures: nobody but the user knows better.
    if (found("header/version")) return ask_for(rule("header/version"), versions());
    return std::unexpected(std::string(kUnusable));
  }

 private:
  static constexpr std::string_view kUnusable = "the header does not allow to look behind it";

  bool found(std::string_view id) const { return before_.findings.added(RuleId(find_rule(id))) != 0; }
  std::string chosen(RuleId id) const {
    const auto choice = options_.choices.find(std::string(id->id));
    return choice == options_.choices.end() ? "" : choice->second;
  }

  bool is_wanted(RuleId id) const {
    return !options_.leaks_only && (options_.only.empty() || options_.only.contains(std::string(id->id)));
  }

  std::vector<Candidate> try_all(std::vector<Candidate> candidates) const {
    for (Candidate& candidate : candidates) candidate.score = score_of(candidate);
    return candidates;
  }

  // Fields that may have any value, but are most unlikely to have this one.
  Found search_fields() const {
    if (is_wanted(rule("header/lazy-without-v3")) && found("header/lazy-without-v3"))
      if (auto version_3 = with_version_3()) return version_3;
    if (is_wanted(rule("ext/data-file-name-unexpected")) && found("ext/data-file-name-unexpected"))
      if (auto with_bit = with_data_file_bit()) return with_bit;
    if (is_wanted(rule("header/backing-name-overlap")) && is_name_over_features())
      if (auto only = only_perfect({with_number("the version", offsetof(RawHeader, version), 2)}))
        return HeaderChange{rule("header/backing-name-overlap"), Remedy::safe, std::move(*only)};
    if (is_wanted(rule("header/cluster-bits")) && is_scattered())
      if (auto only = only_perfect(cluster_sizes(before_.header.cluster_bits)))
        return HeaderChange{rule("header/cluster-bits"), Remedy::safe, std::move(*only)};
    // A name that lies on the header is not overwritten before it is known which of them is wrong.
    if (is_wanted(rule("header/refcount-order")) && are_counts_noise() &&
        !found("header/backing-name-overlap"))
      if (auto only = only_better(refcount_orders(before_.header.refcount_order)))
        return HeaderChange{rule("header/refcount-order"), Remedy::safe, std::move(*only)};
    return std::nullopt;
  }

  // The version is that of the feature bits, if the header can be read so.
  std::optional<HeaderChange> with_version_3() const {
    Candidate version = versions().front();
    version.why = "say version 3, whose feature bits are set";
    version.score = score_of(version);
    if (!version.score.is_usable()) return std::nullopt;
    return HeaderChange{rule("header/lazy-without-v3"), Remedy::safe, std::move(version)};
  }

  // The bit was lost where the user says so, or where everything fits together with it, which does not
  // without it. The file that is named must be there.
  std::optional<HeaderChange> with_data_file_bit() const {
    constexpr RuleId kRule = rule("ext/data-file-name-unexpected");
    Candidate bit{.outcome = "set-bit",
                  .why = "set the external data file bit",
                  .patches = {Patch::number(offsetof(RawHeader, incompatible_features),
                                            before_.header.incompatible_features | kIncompatibleDataFile)}};
    const std::string outcome = chosen(kRule);
    const bool is_certain = outcome.empty() && is_scattered() && fits_all(bit);
    if ((outcome != bit.outcome && !is_certain) || !opens_data_file(bit)) return std::nullopt;
    return HeaderChange{kRule, Remedy::choice, std::move(bit)};
  }

  // State bits say nothing about what fits: they are cleared last.
  bool fits_all(Candidate candidate) const {
    constexpr std::uint64_t kState = kIncompatibleDirty | kIncompatibleCorrupt;
    const std::uint64_t bits = before_.header.incompatible_features | kIncompatibleDataFile;
    candidate.patches = {Patch::number(offsetof(RawHeader, incompatible_features), bits & ~kState)};
    return score_of(candidate).is_perfect();
  }

  bool opens_data_file(const Candidate& candidate) const {
    const PatchedImage patched(before_.inputs, candidate.patches);
    Options options = before_.options;
    options.guest_data = false;
    Progress unseen;
    Context context(patched.inputs, options, unseen);
    run_passes(context);
    return context.data_file.state == Companion::State::open;
  }

  Score score_of(const Candidate& candidate) const {
    return try_out(before_.inputs, before_.options, candidate.patches);
  }

  std::optional<Candidate> only_perfect(std::vector<Candidate> untried) const {
    const std::vector<Candidate> candidates = try_all(std::move(untried));
    const auto is_perfect = [](const Candidate& candidate) { return candidate.score.is_perfect(); };
    if (std::ranges::count_if(candidates, is_perfect) != 1) return std::nullopt;
    return *std::ranges::find_if(candidates, is_perfect);
  }

  // With one width most refcounts are right, with others hardly any: whatever else is damaged.
  std::optional<Candidate> only_better(std::vector<Candidate> untried) const {
    std::vector<Candidate> candidates = try_all(std::move(untried));
    std::ranges::stable_sort(candidates, {},
                             [](const Candidate& candidate) { return candidate.score.all(); });
    const Score now = try_out(before_.inputs, before_.options, {});
    const Score& best = candidates[0].score;
    const auto is_far_behind = [&](const Score& other) { return other.all() / 4 > best.all(); };
    if (best.unchecked > now.unchecked || !is_far_behind(now) || !is_far_behind(candidates[1].score))
      return only_perfect(std::move(candidates));
    return candidates[0];
  }

  std::ptrdiff_t kinds_found(std::initializer_list<std::string_view> ids) const {
    return std::ranges::count_if(ids, [this](std::string_view id) { return found(id); });
  }

  // Version 2 ends where the features of version 3 begin: there, a name may be.
  bool is_name_over_features() const {
    const Header& header = before_.header;
    const std::vector<std::byte>& bytes = before_.first_cluster;
    if (header.version < 3 || header.backing_file_offset < kHeaderV2Bytes ||
        header.backing_file_offset >= kHeaderV3Bytes || header.backing_file_size == 0 ||
        !fits_in(header.backing_file_offset, header.backing_file_size, bytes.size()))
      return false;
    return std::ranges::all_of(
        std::span(bytes).subspan(header.backing_file_offset, header.backing_file_size),
        [](std::byte byte) { return byte >= std::byte{0x20} && byte != std::byte{0x7f}; });
  }

  // Wrong in more than one way at once: pointers lead nowhere, what is used is not counted, what is counted
  // is not used. Damage to a single structure is hardly ever like that.
  bool is_scattered() const {
    const std::ptrdiff_t astray = kinds_found(
        {"header/l1-unaligned", "header/l1-outside", "header/l1-implausible", "header/size-beyond-l1",
         "header/refcount-table-unaligned", "header/refcount-table-outside", "header/snapshots-unaligned",
         "refcount/block-unaligned", "refcount/block-outside", "refcount/block-overlap", "l1/unaligned",
         "l1/outside", "l1/not-l2", "l2/unaligned", "l2/outside", "overlap/metadata"});
    const bool uncounted = 0 != kinds_found({"refcount/too-low", "refcount/table-too-short"});
    const bool unused = 0 != kinds_found({"refcount/leak", "refcount/orphan-mapping", "refcount/too-high"});
    return astray + uncounted + unused > 1;
  }

  // There are refcounts, but hardly any is right.
  bool are_counts_noise() const {
    const bool any =
        before_.refcounts && std::ranges::any_of(before_.refcounts->blocks, &RefcountBlock::believed);
    if (!any || before_.header.version < 3) return false;
    std::uint64_t wrong = 0;
    for (const char* id : {"refcount/too-low", "refcount/too-high", "refcount/overflow", "refcount/leak",
                           "refcount/orphan-mapping"})
      wrong += before_.findings.total(RuleId(find_rule(id)));
    const std::uint64_t used = before_.report.counters.image_end_offset >> before_.geometry.cluster_bits;
    return wrong > used / 2;
  }

  // One candidate with which everything fits is certain; else the user may choose one that is better than all
  // others.
  Found settle(RuleId id, std::vector<Candidate> untried, std::string_view hint) const {
    std::vector<Candidate> candidates = try_all(std::move(untried));
    std::erase_if(candidates, [](const Candidate& candidate) { return candidate.score.unchecked != 0; });
    std::ranges::stable_sort(candidates, {}, &Candidate::score);
    const auto is_perfect = [](const Candidate& candidate) { return candidate.score.is_perfect(); };
    if (std::ranges::count_if(candidates, is_perfect) == 1)
      return HeaderChange{id, Remedy::safe, candidates.front()};
    return choose(id, candidates, hint);
  }

  Found ask_for(RuleId id, std::vector<Candidate> untried) const {
    std::vector<Candidate> candidates = try_all(std::move(untried));
    std::erase_if(candidates, [](const Candidate& candidate) { return candidate.score.unchecked != 0; });
    std::ranges::stable_sort(candidates, {}, &Candidate::score);
    return choose(id, candidates, "");
  }

  Found choose(RuleId id, const std::vector<Candidate>& candidates, std::string_view hint) const {
    const auto named = std::ranges::find(candidates, chosen(id), &Candidate::outcome);
    if (named != candidates.end()) return HeaderChange{id, Remedy::choice, *named};
    constexpr std::size_t kMostListed = 4;
    std::string list;
    for (std::size_t i = 0; i < std::min(kMostListed, candidates.size()); ++i)
      list += fmt::format("{}{} ({} errors are left)", i == 0 ? "=" : ", =", candidates[i].outcome,
                          candidates[i].score.all());
    if (list.empty() && hint.empty()) return std::unexpected(std::string(kUnusable));
    if (!list.empty()) list = " with one of " + list;
    if (!hint.empty()) list += fmt::format("{}={}", list.empty() ? "" : ", ", hint);
    return std::unexpected(fmt::format("{}; needs --choose {}{}", kUnusable, id->id, list));
  }

  // Where nothing but the magic number is wrong, nothing but it is written.
  Found restore_magic() const {
    constexpr RuleId kRule = rule("header/magic");
    if (chosen(kRule).starts_with(kRebuild) || !options_.donor.empty())
      return rebuild_header(before_, options_, chosen(kRule));
    const Candidate magic{.outcome = "restore",
                          .why = "write the magic number: everything behind it is a qcow2 image",
                          .patches = {Patch::number(offsetof(RawHeader, magic), kMagic)}};
    return settle(
        kRule, {magic},
        fmt::format("{}, which looks for tables in the whole file; or a header of an image like it, "
                    "--donor IMAGE",
                    kRebuild));
  }

  const Context& before_;
  const PlanOptions& options_;
};

}  // namespace

Found search_header(const Context& before, const PlanOptions& options) {
  return HeaderSearch(before, options).run();
}

}  // namespace cowvet
