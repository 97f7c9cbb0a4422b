/*
 * Page-table entries, bit by bit: the one place where C and Java learn them from. Only plain macros
 * without arguments stand here, because a binding generator turns exactly those into constants.
 * An entry is 8 bytes in host byte order. Masks are unsigned long, counts and shifts are int.
 */
#ifndef XIP_PTE_H
#define XIP_PTE_H

/* Entry layouts. The number is part of the C ABI: never reused, never renumbered. */
#define XIP_LAYOUT_X86_64 0            /* x86-64, 4 levels, special bit (Linux 2.6.27 and later) */
#define XIP_LAYOUT_X86_64_NO_SPECIAL 1 /* the same without a special bit (up to Linux 2.6.26) */

/* Bytes of one page-table entry, as a power of two. */
#define XIP_PTE_BYTES_SHIFT 3

/*
 * x86-64. Linux: arch/x86/include/asm/pgtable_types.h. Bits 9 to 11 and 52 to 58 are free for
 * software; their meaning here is the one Linux gave them.
 */
#define XIP_X86_64_PRESENT 0x0000000000000001UL    /* bit 0: hardware may translate */
#define XIP_X86_64_RW 0x0000000000000002UL         /* bit 1: stores allowed */
#define XIP_X86_64_USER 0x0000000000000004UL       /* bit 2: user mode may use it */
#define XIP_X86_64_PWT 0x0000000000000008UL        /* bit 3: write-through, cache mode */
#define XIP_X86_64_PCD 0x0000000000000010UL        /* bit 4: cache disabled, cache mode */
#define XIP_X86_64_ACCESSED 0x0000000000000020UL   /* bit 5: read or written since cleared */
#define XIP_X86_64_DIRTY 0x0000000000000040UL      /* bit 6: written since cleared */
#define XIP_X86_64_PSE 0x0000000000000080UL        /* bit 7 in a PMD or PUD: huge leaf */
#define XIP_X86_64_PAT 0x0000000000000080UL        /* bit 7 in a PTE: third cache-mode bit */
#define XIP_X86_64_GLOBAL 0x0000000000000100UL     /* bit 8, PRESENT set: survives a TLB flush */
#define XIP_X86_64_PROT_NONE 0x0000000000000100UL  /* bit 8, PRESENT clear: has a page, no access */
#define XIP_X86_64_SPECIAL 0x0000000000000200UL    /* bit 9: leaf without a page frame structure */
#define XIP_X86_64_UFFD_WP 0x0000000000000400UL    /* bit 10: userfaultfd write-protected */
#define XIP_X86_64_SOFT_DIRTY 0x0000000000000800UL /* bit 11: written since clear_refs */
#define XIP_X86_64_PAT_LARGE 0x0000000000001000UL  /* bit 12 in a huge leaf: the PAT bit */
#define XIP_X86_64_SAVED_DIRTY 0x0400000000000000UL /* bit 58: dirty kept while not writable */
#define XIP_X86_64_PKEY_MASK 0x7800000000000000UL  /* bits 59 to 62: protection key */
#define XIP_X86_64_NX 0x8000000000000000UL         /* bit 63: no instruction fetch */

/* Bits 12 to 51: the physical address; shifted right by XIP_X86_64_PTE_SHIFT it is the pfn. */
#define XIP_X86_64_PFN_MASK 0x000ffffffffff000UL
/* The same field in a 2 MiB leaf (bits 21 to 51) and in a 1 GiB leaf (bits 30 to 51). */
#define XIP_X86_64_PMD_PFN_MASK 0x000fffffffe00000UL
#define XIP_X86_64_PUD_PFN_MASK 0x000fffffc0000000UL

/* An entry is empty when nothing but these is set: Linux lets stray A and D bits pass as empty. */
#define XIP_X86_64_NONE_IGNORE 0x0000000000000060UL

/* What an entry that points at a lower table carries: PRESENT, RW, USER, ACCESSED, DIRTY. */
#define XIP_X86_64_TABLE 0x0000000000000067UL

/*
 * What mprotect must carry over from the old leaf; the rest comes from the new protection. Bit 7 is
 * in it for both of its meanings, PAT in a PTE and PSE in a huge leaf.
 */
#define XIP_X86_64_CHANGE_MASK 0x040ffffffffffef8UL

/* Geometry: the address bits below an entry of each level, and the bits that index one table. */
#define XIP_X86_64_PTE_SHIFT 12   /* 4 KiB page */
#define XIP_X86_64_PMD_SHIFT 21   /* 2 MiB leaf or a table of 512 PTEs */
#define XIP_X86_64_PUD_SHIFT 30   /* 1 GiB leaf or a table of 512 PMDs */
#define XIP_X86_64_PGD_SHIFT 39   /* 512 GiB, always a table */
#define XIP_X86_64_INDEX_BITS 9   /* 512 entries a table */
#define XIP_X86_64_LEVELS 4       /* PTE, PMD, PUD, PGD */
#define XIP_X86_64_TABLE_SHIFT 12 /* bytes of one table, as a power of two */
#define XIP_X86_64_VA_BITS 47     /* the low canonical half: addresses below 1 << 47 */

#endif
