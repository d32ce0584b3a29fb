#include "checker/analysis/claim_batches.h"

#include <gtest/gtest.h>

#include <random>
#include <thread>
#include <vector>

namespace cowvet {
namespace {

// Large enough that claims are put off.
constexpr std::uint64_t kClusters = 200 * kChunkClusters;

struct One {
  std::uint64_t first;
  std::uint64_t count;
  Claim kind;
  std::uint64_t weight;
};

// Scattered, but with many that meet; a few are too long to be put off, or end behind the last cluster.
std::vector<One> scattered(unsigned seed, int claims) {
  std::mt19937_64 random(seed);
  std::vector<One> all;
  for (int i = 0; i < claims; ++i)
    all.push_back({.first = random() % 4 == 0 ? random() % 500 : random() % kClusters,
                   .count = 1 + random() % (random() % 8 == 0 ? 100 : 2),
                   .kind = random() % 16 == 0 ? static_cast<Claim>(random() % 4) : Claim::copied,
                   .weight = random() % 16 == 0 ? 1 + random() % 300 : 1});
  return all;
}

void claim_in_batches(References& references, const std::vector<One>& claims) {
  ClaimBatches batches(references);
  for (const One& one : claims) {
    if (batches.worthwhile(one.count)) {
      batches.add(one.first, one.count, one.kind, one.weight);
    } else {
      references.claim(one.first, one.count, one.kind, one.weight);
    }
  }
  batches.flush();
}

TEST(ClaimBatches, come_to_what_single_claims_come_to) {
  constexpr unsigned kThreads = 3;
  References batched(kClusters, 0);
  References single(kClusters, 0);
  {
    std::vector<std::jthread> threads;
    for (unsigned seed = 0; seed < kThreads; ++seed)
      threads.emplace_back([&batched, seed] { claim_in_batches(batched, scattered(seed, 20'000)); });
  }
  for (unsigned seed = 0; seed < kThreads; ++seed)
    for (const One& one : scattered(seed, 20'000)) single.claim(one.first, one.count, one.kind, one.weight);
  for (std::uint64_t cluster = 0; cluster < kClusters; ++cluster) {
    ASSERT_EQ(batched.references(cluster), single.references(cluster)) << cluster;
    ASSERT_EQ(batched.contested(cluster), single.contested(cluster)) << cluster;
  }
}

TEST(ClaimBatches, wait_for_the_flush) {
  References references(kClusters, 0);
  ClaimBatches batches(references);
  ASSERT_TRUE(batches.worthwhile(1));
  batches.add(7, 1, Claim::copied, 1);
  EXPECT_EQ(references.references(7), 0);
  batches.flush();
  EXPECT_EQ(references.references(7), 1);
  batches.flush();
  EXPECT_EQ(references.references(7), 1);
}

TEST(ClaimBatches, are_not_for_long_runs_or_small_sets) {
  References large(kClusters, 0);
  EXPECT_FALSE(ClaimBatches(large).worthwhile(1000));
  References small(kChunkClusters, 0);
  EXPECT_FALSE(ClaimBatches(small).worthwhile(1));
}

}  // namespace
}  // namespace cowvet
