; Sets CR0.PG with EFER.LME and forgets CR4.PAE.
%include "broken.inc"
main:   PROTECTED
        TABLES
        EFER    100h
        PAGING
        hlt
        TABLE
