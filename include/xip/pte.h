/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bits of page-table entries, the only source for C and Java. It has plain macros without
 * arguments alone, because the binding generator turns only those into constants. An entry is 8
 * bytes in host byte order. Masks are unsigned long, counts and shifts are int.
 */
#ifndef XIP_PTE_H
#define XIP_PTE_H

/*
 * Entry layouts. The number is part of the C ABI: never reused, never renumbered. A layout whose
 * bits change their meaning gets a new number, and the old one is refused with -EINVAL: a program
 * compiled against an older header gets an error, not a wrong answer. Refused are 1 (x86-64 of
 * today without a special bit) and 3 (s390x with READ and WRITE of huge leaves in bits 0 and 1).
 */
#define XIP_LAYOUT_X86_64 0      /* x86-64, 4 levels, special bit (Linux 6) */
#define XIP_LAYOUT_S390X_2008 2  /* s390x, special bit 0x004 (Linux 2.6.26) */
#define XIP_LAYOUT_ARM64 4       /* arm64, 4 KiB pages, special bit 56 (Linux 6) */
#define XIP_LAYOUT_X86_64_2008 5 /* x86-64, 4 levels, no special bit (Linux 2.6.26) */
#define XIP_LAYOUT_S390X 6       /* s390x, special bit 0x040 (Linux 6) */

/* Every layout has four levels: PTE, PMD, PUD, PGD. */
#define XIP_LEVELS 4

/* A page, the unit that frames are counted in, is 4 KiB in every layout. */
#define XIP_PAGE_SHIFT 12

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
#define XIP_X86_64_DEVMAP 0x0200000000000000UL     /* bit 57: frame of a device, up to 6.16 */
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
#define XIP_X86_64_CHANGE_MASK 0x060ffffffffffef8UL

/*
 * x86-64 as of Linux 2.6.26, include/asm-x86/pgtable.h: hardware's bits are those above. Bits 9 to
 * 11 and 58 have no meaning, bit 8 is GLOBAL whatever PRESENT says, a dirty entry that loses RW
 * keeps DIRTY, and an entry is empty when it is 0.
 */
#define XIP_X86_64_2008_PROT_NONE 0x0000000000000080UL /* bit 7, PRESENT clear: has a page */
/* What mprotect carries over: address, PWT, PCD, ACCESSED, DIRTY. */
#define XIP_X86_64_2008_CHANGE_MASK 0x000ffffffffff078UL

/* Geometry: the address bits below an entry of each level, and the bits that index one table. */
#define XIP_X86_64_PTE_SHIFT 12   /* 4 KiB page */
#define XIP_X86_64_PMD_SHIFT 21   /* 2 MiB leaf or a table of 512 PTEs */
#define XIP_X86_64_PUD_SHIFT 30   /* 1 GiB leaf or a table of 512 PMDs */
#define XIP_X86_64_PGD_SHIFT 39   /* 512 GiB, always a table */
#define XIP_X86_64_INDEX_BITS 9   /* 512 entries a table */
#define XIP_X86_64_VA_BITS 47     /* the low canonical half: addresses below 1 << 47 */

/*
 * s390x tables. Linux: arch/s390/include/asm/pgtable.h. A PMD is called a segment table there, a
 * PUD a region-third and the PGD a region-second table; region-first tables are not used. The bits
 * of upper entries are not those of PTEs; these are hardware's.
 */
#define XIP_S390X_UPPER_INVALID 0x0000000000000020UL   /* every access below traps */
#define XIP_S390X_UPPER_NOEXEC 0x0000000000000100UL    /* no instruction fetch */
#define XIP_S390X_UPPER_PROTECT 0x0000000000000200UL   /* stores trap */
#define XIP_S390X_UPPER_LARGE 0x0000000000000400UL     /* format control: a huge leaf */
#define XIP_S390X_UPPER_TYPE_MASK 0x000000000000000cUL /* which kind of table the entry is in */
#define XIP_S390X_PMD_TYPE 0x0000000000000000UL
#define XIP_S390X_PUD_TYPE 0x0000000000000004UL
#define XIP_S390X_PGD_TYPE 0x0000000000000008UL
#define XIP_S390X_REGION_LENGTH 0x0000000000000003UL /* the table below is there in full length */

/* Bits 12 to 63: the physical address, and the same field in 1 MiB and 2 GiB leaves. */
#define XIP_S390X_PFN_MASK 0xfffffffffffff000UL
#define XIP_S390X_PMD_PFN_MASK 0xfffffffffff00000UL
#define XIP_S390X_PUD_PFN_MASK 0xffffffff80000000UL

/* Geometry. A table of PTEs fills half a page; any other fills four that lie side by side. */
#define XIP_S390X_PTE_SHIFT 12     /* 4 KiB page */
#define XIP_S390X_PMD_SHIFT 20     /* 1 MiB leaf or a table of 256 PTEs */
#define XIP_S390X_PUD_SHIFT 31     /* 2 GiB leaf or a table of 2048 PMDs */
#define XIP_S390X_PGD_SHIFT 42     /* 4 TiB, always a table */
#define XIP_S390X_PTE_INDEX_BITS 8 /* 256 entries: 2 KiB */
#define XIP_S390X_INDEX_BITS 11    /* 2048 entries: 16 KiB */
#define XIP_S390X_VA_BITS 53       /* addresses below 8 PiB */

/*
 * s390x PTEs as of Linux 2.6.26, include/asm-s390/pgtable.h. They know neither young nor dirty:
 * that is in the storage key of the frame. RO, INVALID and the software bits SWT and SWX tell the
 * type of an entry: RO 0x200, RW 0x000, and with SWX, if instructions may be fetched, EX_RO 0x202
 * and EX_RW 0x002.
 */
#define XIP_S390X_2008_SWT 0x0000000000000001UL       /* type bit */
#define XIP_S390X_2008_SWX 0x0000000000000002UL       /* type bit; INVALID clear: executable */
#define XIP_S390X_2008_SPECIAL 0x0000000000000004UL   /* leaf without a page frame structure */
#define XIP_S390X_2008_RO 0x0000000000000200UL        /* stores trap */
#define XIP_S390X_2008_INVALID 0x0000000000000400UL   /* every access traps */
#define XIP_S390X_2008_NONE_MASK 0x0000000000000401UL /* an entry is empty when of these two ... */
#define XIP_S390X_2008_NONE 0x0000000000000400UL      /* ... INVALID is set and SWT is not */
#define XIP_S390X_2008_TYPE_MASK 0x0000000000000603UL /* RO, INVALID, SWX and SWT */
#define XIP_S390X_2008_PROT_NONE 0x0000000000000401UL /* of them: has a page, no access */
/* What mprotect carries over. Before Linux commit 138c9021ca6 it lacked SPECIAL. */
#define XIP_S390X_2008_CHANGE_MASK 0xfffffffffffff004UL

/*
 * s390x PTEs as of Linux 6. Soft bits determine hardware's: an old entry is INVALID and a clean one
 * PROTECT, so that the first use and the first store trap and can be recorded.
 */
#define XIP_S390X_PRESENT 0x0000000000000001UL    /* soft: has a page */
#define XIP_S390X_SOFT_DIRTY 0x0000000000000002UL /* soft: written since clear_refs */
#define XIP_S390X_YOUNG 0x0000000000000004UL      /* soft: used since cleared */
#define XIP_S390X_DIRTY 0x0000000000000008UL      /* soft: written since cleared */
#define XIP_S390X_READ 0x0000000000000010UL       /* soft: loads allowed */
#define XIP_S390X_WRITE 0x0000000000000020UL      /* soft: stores allowed */
#define XIP_S390X_SPECIAL 0x0000000000000040UL    /* soft: leaf without a page frame structure */
#define XIP_S390X_UNUSED 0x0000000000000080UL     /* soft: the guest does not need the page */
#define XIP_S390X_NOEXEC 0x0000000000000100UL     /* no instruction fetch */
#define XIP_S390X_PROTECT 0x0000000000000200UL    /* stores trap */
#define XIP_S390X_INVALID 0x0000000000000400UL    /* every access traps */
#define XIP_S390X_NONE 0x0000000000000400UL       /* the empty entry, exactly */
/* What mprotect carries over: address, SPECIAL, DIRTY, YOUNG, SOFT_DIRTY. */
#define XIP_S390X_CHANGE_MASK 0xfffffffffffff04eUL
/* Soft, in a huge leaf and in a link to a table of PTEs: present. */
#define XIP_S390X_UPPER_PRESENT 0x0000000000000001UL
/* The other soft bits of huge leaves, among which there is no special bit. */
#define XIP_S390X_HUGE_SOFT_DIRTY 0x0000000000000002UL
#define XIP_S390X_HUGE_YOUNG 0x0000000000001000UL
#define XIP_S390X_HUGE_DIRTY 0x0000000000002000UL
#define XIP_S390X_HUGE_READ 0x0000000000004000UL
#define XIP_S390X_HUGE_WRITE 0x0000000000008000UL

/*
 * arm64 with 4 KiB pages, the user's half. Linux: arch/arm64/include/asm/pgtable-hwdef.h and
 * pgtable-prot.h.
 */
#define XIP_ARM64_VALID 0x0000000000000001UL        /* bit 0: hardware may translate */
#define XIP_ARM64_TYPE_TABLE 0x0000000000000002UL   /* bit 1: a table or a PTE, no huge leaf */
#define XIP_ARM64_ATTRINDX 0x000000000000001cUL     /* bits 2 to 4: memory type, 0 is normal */
#define XIP_ARM64_USER 0x0000000000000040UL         /* bit 6: user mode may use it */
#define XIP_ARM64_RDONLY 0x0000000000000080UL       /* bit 7: stores trap (with WRITE: once) */
#define XIP_ARM64_SHARED 0x0000000000000300UL       /* bits 8 and 9: inner shareable */
#define XIP_ARM64_AF 0x0000000000000400UL           /* bit 10: used since cleared */
#define XIP_ARM64_NG 0x0000000000000800UL           /* bit 11, VALID set: of one address space */
#define XIP_ARM64_PROT_NONE 0x0000000000000800UL    /* bit 11, VALID clear: has a page, no access */
#define XIP_ARM64_GP 0x0004000000000000UL           /* bit 50: guarded page */
#define XIP_ARM64_WRITE 0x0008000000000000UL        /* bit 51: stores allowed */
#define XIP_ARM64_CONT 0x0010000000000000UL         /* bit 52: one of a contiguous run */
#define XIP_ARM64_PXN 0x0020000000000000UL          /* bit 53: no fetch in kernel mode */
#define XIP_ARM64_UXN 0x0040000000000000UL          /* bit 54: no fetch in user mode */
#define XIP_ARM64_DIRTY 0x0080000000000000UL        /* bit 55, soft: written since cleared */
#define XIP_ARM64_SPECIAL 0x0100000000000000UL      /* bit 56: leaf without a page frame */
#define XIP_ARM64_DEVMAP 0x0200000000000000UL       /* bit 57: frame of a device, up to Linux 6.16 */
#define XIP_ARM64_UFFD_WP 0x0400000000000000UL      /* bit 58: userfaultfd write-protected */
#define XIP_ARM64_OVERLAY_MASK 0x7000000000000000UL /* bits 60 to 62: permission overlay */

/* Bits 12 to 47: the physical address, and the same field in 2 MiB and 1 GiB leaves. */
#define XIP_ARM64_PFN_MASK 0x0000fffffffff000UL
#define XIP_ARM64_PMD_PFN_MASK 0x0000ffffffe00000UL
#define XIP_ARM64_PUD_PFN_MASK 0x0000ffffc0000000UL

/* What an entry that points at a lower table carries: type, AF, and bit 59, PXN for all below. */
#define XIP_ARM64_TABLE 0x0800000000000403UL

/*
 * What mprotect carries over: all but VALID, ATTRINDX, USER, RDONLY, PROT_NONE, GP, WRITE, PXN, UXN
 * and the overlay.
 */
#define XIP_ARM64_CHANGE_MASK 0x8f93fffffffff722UL

/* Geometry. */
#define XIP_ARM64_PTE_SHIFT 12 /* 4 KiB page */
#define XIP_ARM64_PMD_SHIFT 21 /* 2 MiB leaf or a table of 512 PTEs */
#define XIP_ARM64_PUD_SHIFT 30 /* 1 GiB leaf or a table of 512 PMDs */
#define XIP_ARM64_PGD_SHIFT 39 /* 512 GiB, always a table */
#define XIP_ARM64_INDEX_BITS 9 /* 512 entries a table */
#define XIP_ARM64_VA_BITS 48   /* the user's half: addresses below 1 << 48 */

#endif
