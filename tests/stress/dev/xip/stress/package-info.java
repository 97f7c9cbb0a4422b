/**
 * Claims about what two threads may see of the memory manager at the same moment, each tried tens
 * of thousands of times by jcstress: {@code mvn -Pstress}. Outcomes that are not listed as
 * acceptable are forbidden and fail the build; nothing here measures or demonstrates.
 */
package dev.xip.stress;
