#include "checker/analysis/references.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <thread>
#include <vector>

namespace cowvet {
namespace {

// The same, the slow way.
struct Model {
  std::map<std::uint64_t, std::uint64_t> references;
  std::map<std::uint64_t, std::map<Claim, std::uint64_t>> claims;

  void claim(std::uint64_t first, std::uint64_t count, Claim kind, std::uint64_t weight, std::uint64_t end) {
    for (std::uint64_t cluster = first; cluster < std::min(first + count, end); ++cluster) {
      references[cluster] += weight;
      ++claims[cluster][kind];
    }
  }
  bool contested(std::uint64_t cluster) const {
    const auto at = claims.find(cluster);
    if (at == claims.end()) return false;
    std::uint64_t times = 0;
    for (const auto& [kind, count] : at->second) times += kind == Claim::compressed ? 1 : count;
    return times > 1;
  }
};

TEST(References, count_and_contest_like_a_map) {
  EXPECT_TRUE(rc::check([] {
    const auto clusters = *rc::gen::inRange<std::uint64_t>(1, 3 * kChunkClusters);
    References references(clusters, 0);
    Model model;
    const auto claims = *rc::gen::inRange(1, 12);
    for (int i = 0; i < claims; ++i) {
      const auto first = *rc::gen::inRange<std::uint64_t>(0, clusters + 10);
      const auto count = *rc::gen::inRange<std::uint64_t>(1, 200);
      const auto kind = static_cast<Claim>(*rc::gen::inRange(0, 4));
      const auto weight = *rc::gen::element<std::uint64_t>(1, 2, 255, 70000, 5'000'000'000);
      references.claim(first, count, kind, weight);
      model.claim(first, count, kind, weight, clusters);
      for (std::uint64_t cluster = first; cluster < first + count; ++cluster) {
        RC_ASSERT(references.references(cluster) == model.references[cluster]);
        RC_ASSERT(references.contested(cluster) == model.contested(cluster));
      }
    }
  }));
}

const References::Chunk& only_chunk(const References& references) {
  return *references.find_chunk(0);
}

TEST(References, know_where_each_cluster_is_referenced_once) {
  References references(kChunkClusters, 0);
  references.claim(0, 128, Claim::copied);
  references.claim(128, 63, Claim::other);
  EXPECT_TRUE(only_chunk(references).all_once(0, 2));
  EXPECT_FALSE(only_chunk(references).all_once(0, 3)) << "cluster 191 is not referenced";
  references.claim(191, 1, Claim::compressed);
  EXPECT_TRUE(only_chunk(references).all_once(0, 3));
  EXPECT_TRUE(only_chunk(references).all_once(2, 1));
}

TEST(References, know_that_clusters_are_referenced_more_than_once_or_with_copied_clear) {
  const auto all_once_after = [](std::uint64_t first, Claim kind, std::uint64_t weight) {
    References references(kChunkClusters, 0);
    references.claim(0, 64, Claim::compressed);
    references.claim(first, 128 - first, kind, weight);
    return only_chunk(references).all_once(0, 2);
  };
  EXPECT_TRUE(all_once_after(64, Claim::copied, 1));
  EXPECT_FALSE(all_once_after(64, Claim::copied, 2));
  EXPECT_FALSE(all_once_after(64, Claim::clear, 1));
  EXPECT_FALSE(all_once_after(1, Claim::compressed, 1));
  EXPECT_FALSE(all_once_after(1, Claim::copied, 1));
}

TEST(References, threads_lose_no_claim) {
  constexpr std::uint64_t kClusters = 2 * kChunkClusters;
  References references(kClusters, 0);
  {
    std::vector<std::jthread> threads;
    for (int t = 0; t < 4; ++t)
      threads.emplace_back([&references, t] {
        for (std::uint64_t at = 0; at < kClusters; ++at)
          references.claim(at, 1, static_cast<Claim>(t), 1 + t);
      });
  }
  for (std::uint64_t at = 0; at < kClusters; ++at) {
    ASSERT_EQ(references.references(at), 1u + 2 + 3 + 4);
    ASSERT_TRUE(references.contested(at));
  }
}

TEST(References, compressed_clusters_share_without_contest) {
  References references(100, 0);
  references.claim(7, 2, Claim::compressed);
  references.claim(8, 1, Claim::compressed);
  EXPECT_EQ(references.references(8), 2u);
  EXPECT_FALSE(references.contested(8));
  references.claim(8, 1, Claim::copied);
  EXPECT_TRUE(references.contested(8));
  EXPECT_FALSE(references.contested(7));
}

TEST(References, windows_together_see_every_claim) {
  constexpr std::uint64_t kClusters = 20 * kChunkClusters;
  References references(kClusters, 4'000);  // five chunks or so
  std::uint64_t seen = 0;
  int windows = 0;
  do {
    ++windows;
    for (std::uint64_t at = 5; at < kClusters; at += kChunkClusters / 2) {
      references.claim(at, 1, Claim::copied);
      if (references.over_cap()) references.shrink_window();
    }
    references.for_each_chunk([&](std::uint64_t chunk, const References::Chunk& bits) {
      EXPECT_GE(chunk, references.window_begin());
      EXPECT_LT(chunk, references.window_end());
      for (std::uint64_t i = 0; i < kChunkClusters; ++i) seen += bits.references(i);
    });
  } while (references.next_window());
  EXPECT_EQ(seen, 40u);
  EXPECT_GT(windows, 2);
}

TEST(References, a_claim_at_the_end_of_a_huge_file_costs_one_chunk) {
  constexpr std::uint64_t kClusters = std::uint64_t{1} << 54;  // 8 EiB of 512 bytes
  References references(kClusters, 0);
  references.claim(kClusters - 1, 10, Claim::other);
  EXPECT_EQ(references.references(kClusters - 1), 1u);
  std::uint64_t chunks = 0;
  references.for_each_chunk([&chunks](std::uint64_t, const References::Chunk&) { ++chunks; });
  EXPECT_EQ(chunks, 1u);
}

}  // namespace
}  // namespace cowvet
