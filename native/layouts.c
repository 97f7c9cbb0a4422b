/* SPDX-License-Identifier: Apache-2.0 */
#include "tables.h"

_Static_assert(XIP_X86_64_PMD_SHIFT == XIP_X86_64_PTE_SHIFT + XIP_X86_64_INDEX_BITS, "geometry");
_Static_assert(XIP_X86_64_PUD_SHIFT == XIP_X86_64_PMD_SHIFT + XIP_X86_64_INDEX_BITS, "geometry");
_Static_assert(XIP_X86_64_PGD_SHIFT == XIP_X86_64_PUD_SHIFT + XIP_X86_64_INDEX_BITS, "geometry");
_Static_assert(XIP_S390X_PMD_SHIFT == XIP_S390X_PTE_SHIFT + XIP_S390X_PTE_INDEX_BITS, "geometry");
_Static_assert(XIP_S390X_PUD_SHIFT == XIP_S390X_PMD_SHIFT + XIP_S390X_INDEX_BITS, "geometry");
_Static_assert(XIP_S390X_PGD_SHIFT == XIP_S390X_PUD_SHIFT + XIP_S390X_INDEX_BITS, "geometry");
_Static_assert(XIP_ARM64_PGD_SHIFT == XIP_ARM64_PTE_SHIFT + 3 * XIP_ARM64_INDEX_BITS, "geometry");

/* What hardware defines of x86-64; prot_none is the bit of a leaf that allows no access. */
#define X86_64_HUGE (XIP_X86_64_PRESENT | XIP_X86_64_PSE)
#define X86_64(prot_none)                                                                        \
  .pte_index_bits = XIP_X86_64_INDEX_BITS, .index_bits = XIP_X86_64_INDEX_BITS,                  \
  .va_bits = XIP_X86_64_VA_BITS, .top_leaf = XIP_LEVEL_PUD, .top_special = XIP_LEVEL_PUD,        \
  .pfn_mask = XIP_X86_64_PFN_MASK, .leaf_ignored = XIP_X86_64_PAT_LARGE,                         \
  .link = {0, XIP_X86_64_TABLE, XIP_X86_64_TABLE, XIP_X86_64_TABLE},                             \
  .present = {XIP_X86_64_PRESENT, XIP_X86_64_PRESENT}, .also_present = {prot_none, prot_none},   \
  .valid = {XIP_X86_64_PRESENT, XIP_X86_64_PRESENT},                                             \
  .table = {X86_64_HUGE, XIP_X86_64_PRESENT}, .huge = {X86_64_HUGE, X86_64_HUGE},                \
  .prot_none_huge = {X86_64_HUGE | (prot_none), XIP_X86_64_PSE | (prot_none)}

/* present is the soft bit of huge leaves and of links to tables of PTEs. */
#define S390X_HUGE (XIP_S390X_UPPER_INVALID | XIP_S390X_UPPER_LARGE)
#define S390X_TABLES(present)                                                                    \
  .pte_index_bits = XIP_S390X_PTE_INDEX_BITS, .index_bits = XIP_S390X_INDEX_BITS,                \
  .va_bits = XIP_S390X_VA_BITS, .top_special = XIP_LEVEL_PTE, .pfn_mask = XIP_S390X_PFN_MASK,    \
  .type_mask = XIP_S390X_UPPER_TYPE_MASK,                                                        \
  .type = {0, XIP_S390X_PMD_TYPE, XIP_S390X_PUD_TYPE, XIP_S390X_PGD_TYPE},                       \
  .none = {0, XIP_S390X_PMD_TYPE | XIP_S390X_UPPER_INVALID,                                      \
           XIP_S390X_PUD_TYPE | XIP_S390X_UPPER_INVALID,                                         \
           XIP_S390X_PGD_TYPE | XIP_S390X_UPPER_INVALID},                                        \
  .link = {0, XIP_S390X_PMD_TYPE | (present), XIP_S390X_PUD_TYPE | XIP_S390X_REGION_LENGTH,      \
           XIP_S390X_PGD_TYPE | XIP_S390X_REGION_LENGTH},                                        \
  .table = {S390X_HUGE, 0},                                                                      \
  .huge = {S390X_HUGE | (present), XIP_S390X_UPPER_LARGE | (present)},                           \
  .prot_none_huge = {S390X_HUGE | (present), S390X_HUGE | (present)}

#define ARM64_TYPE (XIP_ARM64_VALID | XIP_ARM64_TYPE_TABLE)

static const struct xip_layout layouts[] = {
    [XIP_LAYOUT_X86_64] =
        {
            X86_64(XIP_X86_64_PROT_NONE),
            .special = XIP_X86_64_SPECIAL,
            .pte_none = {~XIP_X86_64_NONE_IGNORE, 0},
            .none_ignored = XIP_X86_64_NONE_IGNORE,
        },
    [XIP_LAYOUT_X86_64_2008] =
        {
            X86_64(XIP_X86_64_2008_PROT_NONE),
            .special = 0,
            .pte_none = {~0UL, 0},
        },
    [XIP_LAYOUT_S390X_2008] =
        {
            S390X_TABLES(0),
            .top_leaf = XIP_LEVEL_PMD,
            .special = XIP_S390X_2008_SPECIAL,
            .pte_none = {XIP_S390X_2008_NONE_MASK, XIP_S390X_2008_NONE},
            .present = {XIP_S390X_2008_INVALID | XIP_S390X_2008_SWT, 0},
            .also_present = {XIP_S390X_2008_TYPE_MASK, XIP_S390X_2008_PROT_NONE},
            .valid = {XIP_S390X_2008_INVALID, 0},
        },
    [XIP_LAYOUT_S390X] =
        {
            S390X_TABLES(XIP_S390X_UPPER_PRESENT),
            .top_leaf = XIP_LEVEL_PUD,
            .leaf_ignored = XIP_S390X_HUGE_YOUNG | XIP_S390X_HUGE_DIRTY | XIP_S390X_HUGE_READ |
                            XIP_S390X_HUGE_WRITE,
            .special = XIP_S390X_SPECIAL,
            .pte_none = {~0UL, XIP_S390X_NONE},
            .present = {XIP_S390X_PRESENT, XIP_S390X_PRESENT},
            .also_present = {XIP_S390X_PRESENT, XIP_S390X_PRESENT},
            .valid = {XIP_S390X_PRESENT | XIP_S390X_INVALID, XIP_S390X_PRESENT},
        },
    [XIP_LAYOUT_ARM64] =
        {
            .pte_index_bits = XIP_ARM64_INDEX_BITS,
            .index_bits = XIP_ARM64_INDEX_BITS,
            .va_bits = XIP_ARM64_VA_BITS,
            .top_leaf = XIP_LEVEL_PUD,
            .top_special = XIP_LEVEL_PMD,
            .pfn_mask = XIP_ARM64_PFN_MASK,
            .special = XIP_ARM64_SPECIAL,
            .link = {0, XIP_ARM64_TABLE, XIP_ARM64_TABLE, XIP_ARM64_TABLE},
            .pte_none = {~0UL, 0},
            .present = {XIP_ARM64_VALID, XIP_ARM64_VALID},
            .also_present = {XIP_ARM64_VALID | XIP_ARM64_PROT_NONE, XIP_ARM64_PROT_NONE},
            .valid = {XIP_ARM64_VALID, XIP_ARM64_VALID},
            .table = {ARM64_TYPE, ARM64_TYPE},
            .huge = {ARM64_TYPE, XIP_ARM64_VALID},
            .prot_none_huge = {ARM64_TYPE | XIP_ARM64_PROT_NONE, XIP_ARM64_PROT_NONE},
        },
};

const struct xip_layout *xip_layout_of(uint32_t number) {
  if (number >= sizeof layouts / sizeof layouts[0]) return NULL;
  /* A number that is not in use any more has no geometry. */
  return layouts[number].va_bits != 0 ? &layouts[number] : NULL;
}
