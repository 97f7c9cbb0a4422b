/**
 * The memory manager: address spaces, their mappings, faults that insert entries, and the
 * normal-page test, {@link dev.xip.vm.MemoryManager#normalFrame}, which alone decides whether an
 * entry has a page frame. It knows no file system and no segment, only {@link
 * dev.xip.mapping.Mappable}, and accesses the bytes of a page without a frame only to copy it.
 *
 * <p>Three floors. {@code Mm}, the state of an address space, with what works on its entries
 * ({@code LeafTables}, {@code Zapper}, {@code HugeLeaves}) and the reverse map of files. The
 * operations: fault, fork, get_user_pages, insertion, the system calls. The facade {@link
 * dev.xip.vm.AddressSpace}, used by a program's accesses ({@link dev.xip.vm.AddressReader}, {@link
 * dev.xip.vm.AddressWriter}) and by diagnostics. A floor names none above it. Every floor uses
 * {@link dev.xip.vm.MemoryManager}, the state that all spaces share; it makes and lists the address
 * spaces.
 *
 * <p>Lock order: a thread takes locks downwards in this tree. The line "Lock held by the caller" of
 * each class refers to it.
 *
 * <pre>
 * map lock of Mm, a parent's before its child's
 *   shared: fault, get_user_pages, madvise(DONTNEED); exclusive: map, unmap, protect, fork, exit
 * ├─ monitor of ReverseMap
 * └─ mutex of SparsePage
 *    └─ lock of FileMappings
 *         shared: insertion of entries, moving them; exclusive: truncation, filling a hole
 *       ├─ a file's own locks, to translate or allocate a page
 *       └─ entry lock of a leaf table (spin): no thread may sleep under it
 *            a child's before its parent's; two of one space, in any order, under the map lock
 *            held exclusively
 *          ├─ zone lock of the frame allocator
 *          ├─ lock of BadEntries
 *          └─ lock of the segment list, on a machine that asks it about entries
 * </pre>
 *
 * <p>A walk takes no lock; its caller compares the generation before and after.
 */
package dev.xip.vm;
