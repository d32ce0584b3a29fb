// The passes, in the order in which analyze.cc runs them. Each lives in the file of its name.
#pragma once

#include "checker/analysis/context.h"

namespace cowvet {

// All of them, as far as the image permits.
void run_passes(Context& context);

// Moves what they learned into a report.
Report finish_report(Context& context);

// Decodes and judges the header; fills Context::header, geometry, first_cluster and the usable flags, and
// claims the areas of the header, L1 table and refcount table. False: nothing behind the header can be
// examined.
bool load_header(Context& context);

// Walks the header extensions; finds names, bitmap directory and LUKS area, and judges them against the
// feature bits.
void load_extensions(Context& context);

// Opens the data file under the caller's rules; judges its name and identity.
void open_data_file(Context& context);

// Decodes the snapshot table into Context::snapshots and claims its area and those of the L1 tables.
void load_snapshots(Context& context);

// Decodes the bitmap directory and tables, claims their areas and those of bitmap data.
void load_bitmaps(Context& context);

// Judges the LUKS header and claims its area.
void check_luks(Context& context);

// Reads the L1 and L2 tables and refcount blocks and compares what they say: mapping, l1/*, l2/*, refcount/*,
// overlap/*, file/*.
void check_references(Context& context);

// Guest cluster 0 of an image with a data file: unallocated, or only its COPIED bit lost?
void check_first_cluster(Context& context);

// Whether the data file reaches as far as the mapping and the raw promise say.
void check_data_file_length(Context& context);

// The raw promise: where the metadata says zeros, the data file must read as zeros.
void check_raw_data(Context& context);

// --deep: every compressed cluster must decode to a whole cluster.
void decode_compressed_clusters(Context& context);

}  // namespace cowvet
