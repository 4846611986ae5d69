; Turns paging on without having loaded CR3: the interrupt vectors are taken for a page directory.
%include "broken.inc"
main:   PROTECTED
        PAGING
        hlt
        TABLE
