// The clauses of the header, one function each; load_header.cc calls them in the order of the fields. They
// judge Context::header and set the flags and areas that follow from it.
#pragma once

#include "checker/analysis/context.h"

namespace cowvet {

// False: the sizes of everything else are not known, or not to be believed.
bool check_cluster_bits(Context& context);
bool check_unknown_features(Context& context);

void check_header_length(Context& context);
void check_padding(Context& context);
void check_state_bits(Context& context);
void check_feature_contradictions(Context& context);
void check_version_2_features(Context& context);
void check_compression_type(Context& context);
void check_crypt_method(Context& context);
void check_refcount_order(Context& context);

void check_backing_name(Context& context);

void check_virtual_size(Context& context);
void check_l1_table(Context& context);
void check_refcount_table(Context& context);
void check_snapshot_table(Context& context);

}  // namespace cowvet
