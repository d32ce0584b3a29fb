// A later walk over the L2 tables, for those few images in which the first one found something to look for.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "checker/analysis/context.h"
#include "checker/analysis/l2_reader.h"
#include "checker/analysis/parallel.h"
#include "checker/analysis/tables.h"

namespace cowvet {

// Calls visit(worker, index into tables.l2, bytes of the table), on all threads; not for tables of zeros.
template <typename Visit>
void walk_l2_tables_again(Context& context, const Tables& tables, const char* pass, Visit visit) {
  const unsigned threads = thread_count(context.options.threads, tables.l2.size() / 4);
  context.progress.begin(pass, tables.l2.size());
  std::vector<std::unique_ptr<L2Reader>> readers;
  readers.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) readers.push_back(std::make_unique<L2Reader>(context, false));
  parallel_for(threads, tables.l2.size(), [&](std::uint64_t at, unsigned worker) {
    context.progress.advance(1);
    const L2Table& table = tables.l2[at];
    if (!table.walk) return;
    const std::span<const std::byte> bytes =
        readers[worker]->read(table.offset, context.geometry.cluster_bytes, Place{});
    if (!bytes.empty()) visit(worker, at, bytes);
  });
}

}  // namespace cowvet
